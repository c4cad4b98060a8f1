/** Whether the controller is there and well, and the state of the whole. */
import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import { statusViewSchema } from "../../../protocol/views.ts";
import { ApiError } from "./api-errors.ts";
import { jsonAnswer, rawAnswer, type ControllerApiOptions } from "./route-parts.ts";

const tags = ["Status"];

const health = createRoute({
  method: "get",
  path: "/healthz",
  tags,
  summary: "Whether the program runs",
  responses: { 200: rawAnswer("text/plain", "`ok`") },
});

const readiness = createRoute({
  method: "get",
  path: "/readyz",
  tags,
  summary: "Whether the controller schedules: 503 while it waits for agents after a start, or is stopping",
  responses: { 200: rawAnswer("text/plain", "`ok`") },
});

const status = createRoute({
  method: "get",
  path: "/v1/status",
  tags,
  summary: "The whole at a glance: agents, file sets, sites, the busiest resources, what is out of use",
  responses: { 200: jsonAnswer(statusViewSchema, "The state now") },
});

const metrics = createRoute({
  method: "get",
  path: "/metrics",
  tags,
  summary: "Metrics, for Prometheus",
  responses: { 200: rawAnswer("text/plain", "The text format of Prometheus; docs/metrics.md names them all") },
});

export function addStatusRoutes(api: OpenAPIHono, { machine, unready, metrics: collect }: ControllerApiOptions): void {
  api.openapi(health, (context) => context.text("ok", 200));
  api.openapi(readiness, (context) => {
    const reason = unready();
    if (reason !== undefined) throw new ApiError("unavailable", reason);
    return context.text("ok", 200);
  });
  api.openapi(status, (context) => context.json(machine.status(), 200));
  api.openapi(metrics, async (context) => {
    const { contentType, text } = await collect();
    return context.body(text, 200, { "content-type": contentType });
  });
}
