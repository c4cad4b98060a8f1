/**
 * The controller's HTTP API: what there is to see, and what an operator can order. Every route is described by the
 * schemas that check its requests, and the document at /v1/openapi.json is made from them.
 *
 * Promises: every answer has the form that its route names, every no has the form of `errorViewSchema` and a status code
 * that fits; names are checked and bodies bounded before anything is done; what an order answers is durable by then.
 */
import { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import { maximumTopologyBytes } from "../../../platform/yaml-topology.ts";
import { UserError } from "../../../std/errors.ts";
import { addDashboardPage } from "../dashboard-page.ts";
import { maximumRequestBodyBytes } from "../limits.ts";
import { ApiError, errorAnswer, tooLarge } from "./api-errors.ts";
import { addAgentRoutes } from "./agent-routes.ts";
import { addDocumentRoutes } from "./document-routes.ts";
import { addEventRoutes } from "./event-routes.ts";
import { addFileSetOrderRoutes } from "./file-set-order-routes.ts";
import { addFileSetRoutes } from "./file-set-routes.ts";
import { addManifestRoutes } from "./manifest-routes.ts";
import { addPlanRoutes } from "./plan-routes.ts";
import { addResourceRoutes } from "./resource-routes.ts";
import type { ControllerApiOptions } from "./route-parts.ts";
import { addStatusRoutes } from "./status-routes.ts";
import { addTopologyRoutes, topologyPath } from "./topology-routes.ts";

/** Makes the API as something that answers requests; nothing listens yet. */
export function createControllerApi(options: ControllerApiOptions): OpenAPIHono {
  const api = new OpenAPIHono({
    defaultHook: (result) => {
      if (result.success) return;
      const lines = result.error.issues.map(({ path, message }) => `${path.map(String).join(".")}: ${message}`);
      throw new ApiError("invalid", lines.join("\n"));
    },
  });
  api.onError((error, context) => {
    if (error instanceof ApiError) return errorAnswer(context, error.code, error.message);
    if (error instanceof UserError) return errorAnswer(context, "invalid", error.message);
    options.logger.error({ err: error, path: context.req.path }, "defect in answering a request");
    return errorAnswer(context, "internal", "the controller failed to answer: its log says more");
  });
  api.notFound((context) => errorAnswer(context, "notFound", `there is no ${context.req.method} ${context.req.path}`));
  api.use((context, next) => {
    refuseForeignPage(context);
    refuseLargeBody(context);
    return next();
  });
  addStatusRoutes(api, options);
  addFileSetRoutes(api, options);
  addFileSetOrderRoutes(api, options);
  addManifestRoutes(api, options);
  addPlanRoutes(api, options);
  addAgentRoutes(api, options);
  addResourceRoutes(api, options);
  addTopologyRoutes(api, options);
  addEventRoutes(api, options);
  addDocumentRoutes(api);
  addDashboardPage(api);
  return api;
}

/** A web page of another origin has no business here, even where a browser would let it try. */
function refuseForeignPage(context: Context): void {
  if (isForeignOrigin(context.req.header("origin"), context.req.header("host"))) {
    throw new ApiError("forbidden", "requests from other web pages are refused");
  }
}

/** Bodies of a stated length over the bound are not even begun with. One without a stated length is bounded where it is read. */
function refuseLargeBody(context: Context): void {
  const maximumBytes = context.req.path === topologyPath ? maximumTopologyBytes : maximumRequestBodyBytes;
  if (Number(context.req.header("content-length") ?? 0) > maximumBytes) throw tooLarge(maximumBytes);
}

/** Whether a request's `Origin` names another host than the one that it was sent to. */
export function isForeignOrigin(origin: string | undefined, host: string | undefined): boolean {
  if (origin === undefined) return false;
  try {
    return new URL(origin).host !== host;
  } catch {
    return true;
  }
}
