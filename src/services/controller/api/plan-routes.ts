/** Stored schedules: having one worked out, and looking at it. */
import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import { z } from "zod";
import { agentNameSchema } from "../../../model/names.ts";
import { planViewSchema } from "../../../protocol/plan-views.ts";
import { ApiError } from "./api-errors.ts";
import { jsonAnswer, resultOf, versionParams, type ControllerApiOptions } from "./route-parts.ts";

const tags = ["Plans"];
const path = "/v1/filesets/{name}/versions/{version}/plan";

const make = createRoute({
  method: "post",
  path,
  tags,
  summary: "Work out a schedule from the resources of the whole system and store it; it is followed from then on",
  request: { params: versionParams },
  responses: { 200: jsonAnswer(planViewSchema, "The plan, which is durable") },
});

const show = createRoute({
  method: "get",
  path,
  tags,
  summary: "The stored schedule of a version, and how far it is followed",
  request: {
    params: versionParams,
    query: z.object({ agent: agentNameSchema.optional().describe("list the transfers to this agent") }),
  },
  responses: { 200: jsonAnswer(planViewSchema, "The plan") },
});

export function addPlanRoutes(api: OpenAPIHono, { machine, ask }: ControllerApiOptions): void {
  api.openapi(make, async (context) => {
    const reply = await ask({ type: "plan", ...context.req.valid("param") });
    return context.json(resultOf(planViewSchema, reply), 200);
  });
  api.openapi(show, (context) => {
    const { name, version } = context.req.valid("param");
    const { agent } = context.req.valid("query");
    const plan = machine.plan(name, version, agent);
    if (plan === undefined) throw new ApiError("notFound", `there is no plan for ${name}@${version}`);
    if (agent !== undefined && plan.steps === undefined) {
      throw new ApiError("notFound", `the plan for ${name}@${version} has no agent ${agent}`);
    }
    return context.json(plan, 200);
  });
}
