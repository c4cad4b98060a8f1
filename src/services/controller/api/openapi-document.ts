/** The OpenAPI document of the API, from the routes and the schemas that check requests. */
import type { OpenAPIHono } from "@hono/zod-openapi";
import { z } from "zod";
import { programVersion } from "../../../platform/program-version.ts";
import { errorViewSchema } from "../../../protocol/views.ts";

/** What of an OpenAPI document is read here: the parts that documents are made of. */
export interface OpenApiDocument {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string; readonly description?: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>;
  readonly components?: { readonly schemas?: Readonly<Record<string, OpenApiSchema>> };
}

export interface OpenApiOperation {
  readonly operationId?: string;
  readonly tags?: readonly string[];
  readonly summary?: string;
  readonly description?: string;
  readonly parameters?: readonly OpenApiParameter[];
  readonly requestBody?: { readonly description?: string; readonly content: OpenApiContent };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: OpenApiContent }>>;
}

export interface OpenApiParameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly description?: string;
  readonly schema?: OpenApiSchema;
}

export type OpenApiContent = Readonly<Record<string, { readonly schema?: OpenApiSchema }>>;

export interface OpenApiSchema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, OpenApiSchema>>;
  readonly required?: readonly string[];
  readonly items?: OpenApiSchema;
  readonly anyOf?: readonly OpenApiSchema[];
  readonly oneOf?: readonly OpenApiSchema[];
  readonly allOf?: readonly OpenApiSchema[];
  readonly additionalProperties?: OpenApiSchema | boolean;
}

/** Every operation may answer with a refusal, which has the same form everywhere. */
const refusal = {
  description:
    "It was refused or failed: `error.code` says why for programs (invalid, forbidden, notFound, conflict, tooLarge, internal, unavailable), `error.message` for people; several mistakes are several lines",
  content: { "application/json": { schema: { $ref: "#/components/schemas/ErrorView" } } },
};

export function openApiDocument(api: OpenAPIHono): OpenApiDocument {
  const made = api.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "Sluice controller",
      version: programVersion(),
      license: { name: "Apache-2.0", url: "https://www.apache.org/licenses/LICENSE-2.0" },
      description:
        "Sizes are bytes of content; rates are bits per second on the wire; dates are milliseconds since 1970. Fields may be added within v1; none is taken away.",
    },
    servers: [{ url: "/", description: "The controller that serves this document" }],
    // Nobody is asked who they are: keep the port inside a network that you trust.
    security: [],
  }) as unknown as OpenApiDocument;
  const paths = Object.fromEntries(
    Object.entries(made.paths).map(([path, operations]) => [
      path,
      Object.fromEntries(
        Object.entries(operations).map(([method, operation]) => [
          method,
          {
            operationId: operationId(method, path),
            ...operation,
            responses: { ...operation.responses, "4XX": refusal, default: refusal },
          },
        ]),
      ),
    ]),
  );
  const schemas = { ...made.components?.schemas, ErrorView: z.toJSONSchema(errorViewSchema) as OpenApiSchema };
  return { ...made, paths, components: { ...made.components, schemas } };
}

/** What generated clients call it: `GET /v1/filesets/{name}/versions` is getFilesetsByNameVersions. */
function operationId(method: string, path: string): string {
  const words = path.replace(/^\/v1\//, "/").split(/[/.-]/);
  const named = words.map((word) => {
    const parameter = /^\{(\w+)\}$/.exec(word)?.[1];
    return parameter === undefined ? capitalized(word) : `By${capitalized(parameter)}`;
  });
  return `${method}${named.join("")}`;
}

function capitalized(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
