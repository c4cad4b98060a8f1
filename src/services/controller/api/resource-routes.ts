/** Resources and components that have failed. */
import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import { z } from "zod";
import { componentNameSchema, doneViewSchema, resourceViewSchema } from "../../../protocol/views.ts";
import { jsonAnswer, resultOf, type ControllerApiOptions } from "./route-parts.ts";

const tags = ["Resources"];

const list = createRoute({
  method: "get",
  path: "/v1/resources",
  tags,
  summary: "Capability, allocation and measured use of every resource, and every component that has failed",
  responses: { 200: jsonAnswer(z.array(resourceViewSchema), "By name") },
});

const putBack = createRoute({
  method: "post",
  path: "/v1/resources/{component}/put-back",
  tags,
  summary: "Put a component back into use without waiting for it to be tried again; its failures are forgotten",
  request: { params: z.object({ component: componentNameSchema }) },
  responses: { 200: jsonAnswer(doneViewSchema, "What was done") },
});

export function addResourceRoutes(api: OpenAPIHono, { machine, ask }: ControllerApiOptions): void {
  api.openapi(list, (context) => context.json(machine.resources(), 200));
  api.openapi(putBack, async (context) => {
    const reply = await ask({ type: "putBack", component: context.req.valid("param").component });
    return context.json(resultOf(doneViewSchema, reply), 200);
  });
}
