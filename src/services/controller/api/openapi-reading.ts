/** Reads an OpenAPI document: its operations in order, and its schemas in words. */
import type { OpenApiDocument, OpenApiOperation, OpenApiSchema } from "./openapi-document.ts";

export interface ListedOperation {
  readonly method: string;
  readonly path: string;
  readonly operation: OpenApiOperation;
}

export interface SchemaField {
  /** With a question mark where it may be left out. */
  readonly field: string;
  readonly type: string;
  readonly description: string;
}

/** All operations, in the order in which they were added. */
export function listOperations(document: OpenApiDocument): ListedOperation[] {
  return Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({ method, path, operation })),
  );
}

/** The fields of an object's schema; none of any other. */
export function schemaFields(schema: OpenApiSchema): SchemaField[] {
  return Object.entries(schema.properties ?? {}).map(([name, field]) => ({
    field: schema.required?.includes(name) === true ? name : `${name}?`,
    type: schemaText(field),
    description: field.description ?? "",
  }));
}

/** A schema as one would write its type: `AgentView[]`, `"fra" | "iad"`, `integer | null`. */
export function schemaText(schema: OpenApiSchema | undefined): string {
  if (schema === undefined) return "";
  if (schema.$ref !== undefined) return schema.$ref.split("/").at(-1) ?? "";
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return choices.map(schemaText).join(" | ");
  if (schema.allOf !== undefined) return schema.allOf.map(schemaText).join(" & ");
  const type = typeof schema.type === "string" ? schema.type : (schema.type ?? []).join(" | ");
  if (type === "array") return `${grouped(schemaText(schema.items))}[]`;
  if (schema.properties !== undefined) {
    const fields = schemaFields(schema).map(({ field, type: fieldType }) => `${field}: ${fieldType}`);
    return `{ ${fields.join(", ")} }`;
  }
  if (typeof schema.additionalProperties === "object") return `{ [name]: ${schemaText(schema.additionalProperties)} }`;
  return type;
}

function grouped(text: string): string {
  return text.includes(" ") && !text.startsWith("{") ? `(${text})` : text;
}
