/** Agents: what they hold, and what an operator orders of them. */
import { didYouMean } from "../../../std/nearest.ts";
import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import { z } from "zod";
import { matchesSelector, parseSelector } from "../../../model/selector.ts";
import { agentViewSchema, challengeViewSchema, doneViewSchema } from "../../../protocol/views.ts";
import { ApiError } from "./api-errors.ts";
import { agentParams, jsonAnswer, resultOf, wholeNumber, type ControllerApiOptions } from "./route-parts.ts";

const tags = ["Agents"];
/** Blocks that a verification challenges when nobody says how many, and at most. */
const defaultVerifiedBlocks = 16;
const maximumVerifiedBlocks = 1_000;

const list = createRoute({
  method: "get",
  path: "/v1/agents",
  tags,
  summary: "Agents, by name",
  request: {
    query: z.object({ selector: z.string().default("all").describe("which ones: `site=fra,tier!=web`") }),
  },
  responses: { 200: jsonAnswer(z.array(agentViewSchema), "Known agents, also those that are away") },
});

const one = createRoute({
  method: "get",
  path: "/v1/agents/{agent}",
  tags,
  summary: "One agent",
  request: { params: agentParams },
  responses: { 200: jsonAnswer(agentViewSchema, "The agent") },
});

const orders = {
  drain: "Give it nothing new and let nobody fetch from it but as a last resort",
  undrain: "Let it take part again",
  block: "Close its connection and take none of it",
  unblock: "Let it connect again",
} as const;

function orderRoute(order: keyof typeof orders) {
  return createRoute({
    method: "post",
    path: `/v1/agents/{agent}/${order}` as const,
    tags,
    summary: orders[order],
    request: { params: agentParams },
    responses: { 200: jsonAnswer(doneViewSchema, "What was done") },
  });
}

const verify = createRoute({
  method: "post",
  path: "/v1/agents/{agent}/verify",
  tags,
  summary: "Challenge an agent with random blocks of what it holds; answers when the bytes are checked",
  request: {
    params: agentParams,
    query: z.object({
      blocks: wholeNumber(1, maximumVerifiedBlocks, defaultVerifiedBlocks),
    }),
  },
  responses: { 200: jsonAnswer(challengeViewSchema, "What was checked, and what was found damaged") },
});

export function addAgentRoutes(api: OpenAPIHono, { machine, ask }: ControllerApiOptions): void {
  api.openapi(list, (context) => {
    const selector = parseSelector(context.req.valid("query").selector);
    return context.json(
      machine.agents().filter((agent) => matchesSelector(selector, agent)),
      200,
    );
  });
  api.openapi(one, (context) => {
    const { agent } = context.req.valid("param");
    const agents = machine.agents();
    const found = agents.find(({ name }) => name === agent);
    if (found === undefined) {
      const names = agents.map(({ name }) => name);
      throw new ApiError("notFound", `there is no agent ${agent}${didYouMean(agent, names)}`);
    }
    return context.json(found, 200);
  });
  for (const type of Object.keys(orders) as (keyof typeof orders)[]) {
    api.openapi(orderRoute(type), async (context) => {
      const reply = await ask({ type, agent: context.req.valid("param").agent });
      return context.json(resultOf(doneViewSchema, reply), 200);
    });
  }
  api.openapi(verify, async (context) => {
    const { agent } = context.req.valid("param");
    const reply = await ask({ type: "verifyAgent", agent, blocks: context.req.valid("query").blocks });
    return context.json(resultOf(challengeViewSchema, reply), 200);
  });
}
