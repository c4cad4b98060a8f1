/**
 * The API for people to read: one page made of the OpenAPI document, without scripts and without anything from elsewhere.
 */
import { html, raw } from "hono/html";
import type { HtmlEscapedString } from "hono/utils/html";
import type { OpenApiDocument, OpenApiOperation, OpenApiSchema } from "./openapi-document.ts";
import { listOperations, schemaFields, schemaText, type ListedOperation } from "./openapi-reading.ts";

type Html = HtmlEscapedString | Promise<HtmlEscapedString>;

export const docsStyle = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 60rem; padding: 1rem; }
h2 { margin-top: 3rem; border-bottom: 1px solid; }
code { font: 0.9em ui-monospace, monospace; overflow-wrap: anywhere; }
.method { display: inline-block; min-width: 4rem; font-weight: 700; text-transform: uppercase; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; vertical-align: top; padding: 0.2rem 0.6rem 0.2rem 0; border-bottom: 1px solid #8884; }
details { margin: 0.5rem 0; }
summary { cursor: pointer; }
`;

/** The whole page. */
export function docsPage(document: OpenApiDocument): Html {
  const groups = groupByTag(document);
  const schemas = Object.entries(document.components?.schemas ?? {}).sort(([one], [other]) => (one < other ? -1 : 1));
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>Sluice: API</title>
        <link rel="stylesheet" href="/v1/docs/style.css" />
      </head>
      <body>
        <h1>Sluice: API of the controller ${document.info.version}</h1>
        <p>${document.info.description ?? ""}</p>
        <p>For programs: <a href="/v1/openapi.json">/v1/openapi.json</a></p>
        ${groups.map(([tag, operations]) => section(tag, operations))}
        <h2>Schemas</h2>
        ${schemas.map(([name, schema]) => schemaDetails(name, schema))}
      </body>
    </html>`;
}

function groupByTag(document: OpenApiDocument): [string, ListedOperation[]][] {
  const groups = new Map<string, ListedOperation[]>();
  for (const listed of listOperations(document)) {
    const tag = listed.operation.tags?.[0] ?? "Other";
    const group = groups.get(tag);
    if (group === undefined) groups.set(tag, [listed]);
    else group.push(listed);
  }
  return [...groups];
}

function section(tag: string, operations: readonly ListedOperation[]): Html {
  return html`<h2>${tag}</h2>
    ${operations.map(
      ({ method, path, operation }) =>
        html`<details>
          <summary><span class="method">${method}</span> <code>${path}</code><br />${operation.summary ?? ""}</summary>
          ${operation.description === undefined ? "" : html`<p>${operation.description}</p>`} ${parameters(operation)}
          ${answers(operation)}
        </details>`,
    )}`;
}

function parameters({ parameters: listed = [], requestBody }: OpenApiOperation): Html {
  const rows = listed.map(
    (parameter) =>
      html`<tr>
        <td><code>${parameter.name}</code></td>
        <td>${parameter.in}${parameter.required === true ? ", needed" : ""}</td>
        <td>${parameter.description ?? ""} ${schemaText(parameter.schema)}</td>
      </tr>`,
  );
  if (requestBody !== undefined) {
    rows.push(
      html`<tr>
        <td>body</td>
        <td>${Object.keys(requestBody.content).join(", ")}</td>
        <td>${requestBody.description ?? ""}</td>
      </tr>`,
    );
  }
  return rows.length === 0
    ? raw("")
    : html`<table>
        ${rows}
      </table>`;
}

function answers({ responses }: OpenApiOperation): Html {
  const rows = Object.entries(responses).map(([status, { description, content = {} }]) => {
    const forms = Object.entries(content).map(([type, { schema }]) => html`${type}: ${schemaReference(schema)} `);
    return html`<tr>
      <td>${status}</td>
      <td>${description}</td>
      <td>${forms}</td>
    </tr>`;
  });
  return html`<table>
    ${rows}
  </table>`;
}

function schemaReference(schema: OpenApiSchema | undefined): Html {
  const name = (schema?.$ref ?? schema?.items?.$ref)?.split("/").at(-1);
  return name === undefined ? html`${schemaText(schema)}` : html`<a href="#${name}">${schemaText(schema)}</a>`;
}

function schemaDetails(name: string, schema: OpenApiSchema): Html {
  const fields = schemaFields(schema).map(
    ({ field, type, description }) =>
      html`<tr>
        <td><code>${field}</code></td>
        <td><code>${type}</code></td>
        <td>${description}</td>
      </tr>`,
  );
  return html`<h3 id="${name}">${name}</h3>
    <p>${schema.description ?? ""}</p>
    ${
      fields.length === 0
        ? html`<p><code>${schemaText(schema)}</code></p>`
        : html`<table>
            ${fields}
          </table>`
    }`;
}
