/** The API's own description: as an OpenAPI document for programs, and as a page for people that needs no network. */
import type { OpenAPIHono } from "@hono/zod-openapi";
import { docsPage, docsStyle } from "./docs-page.ts";
import { openApiDocument } from "./openapi-document.ts";

/** Nothing but its own style: no script, no frame, nothing from elsewhere. */
const contentSecurityPolicy = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'";

export function addDocumentRoutes(api: OpenAPIHono): void {
  // Made when it is first asked for: every route is there by then.
  let document: ReturnType<typeof openApiDocument> | undefined;
  const made = (): ReturnType<typeof openApiDocument> => (document ??= openApiDocument(api));
  api.get("/v1/openapi.json", (context) => context.json(made()));
  api.get("/v1/docs", (context) =>
    context.html(docsPage(made()), 200, { "content-security-policy": contentSecurityPolicy }),
  );
  api.get("/v1/docs/style.css", (context) => context.body(docsStyle, 200, { "content-type": "text/css" }));
}
