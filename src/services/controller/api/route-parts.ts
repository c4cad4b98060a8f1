/** What the routes of the API share: names in paths, forms of answers, and how the state machine's replies become answers. */
import { z } from "zod";
import type { OperatorReply } from "../../../control/controller/controller-events.ts";
import { agentNameSchema, fileSetNameSchema, versionSchema } from "../../../model/names.ts";
import type { Topology } from "../../../model/topology.ts";
import type { Logger } from "../../../platform/log.ts";
import type { OperatorRequest } from "../../../protocol/views.ts";
import type { EventHub } from "../event-hub.ts";
import type { ControllerMachine } from "../machine.ts";
import { ApiError } from "./api-errors.ts";

export interface ControllerApiOptions {
  readonly machine: ControllerMachine;
  readonly logger: Logger;
  readonly events: EventHub;
  /** Gives an order to the state machine; resolves with its answer when that is durable. */
  readonly ask: (request: OperatorRequest) => Promise<OperatorReply>;
  /** The text of the topology in force, if there is one. */
  readonly topologyText: () => string | undefined;
  /** Puts a topology into force; resolves, with a line to tell, when it is durable. */
  readonly applyTopology: (topology: Topology, text: string) => Promise<string>;
  /** The controller's metrics, as Prometheus reads them. */
  readonly metrics: () => Promise<{ contentType: string; text: string }>;
  /** Why the controller is not ready to serve; undefined: it is. */
  readonly unready: () => string | undefined;
}

export const fileSetParams = z.object({ name: fileSetNameSchema });
export const versionParams = z.object({ name: fileSetNameSchema, version: versionSchema });
export const agentParams = z.object({ agent: agentNameSchema });
/** `true` or `false`, as a query says it. */
export const flagSchema = z
  .enum(["true", "false"], "must be true or false")
  .default("false")
  .transform((text) => text === "true");

/** A whole number, as a query says it. */
export function wholeNumber(least: number, most: number, fallback: number) {
  const rule = `must be a whole number from ${least} to ${most}`;
  return z.coerce
    .number(rule)
    .int(rule)
    .min(least, rule)
    .max(most, rule)
    .default(fallback)
    .meta({ type: "integer", default: fallback });
}

/** An answer in JSON. */
export function jsonAnswer<Schema extends z.ZodType>(schema: Schema, description: string) {
  return { description, content: { "application/json": { schema } } };
}

/** An answer in text or bytes. */
export function rawAnswer(contentType: string, description: string) {
  return { description, content: { [contentType]: { schema: z.string() } } };
}

/** What an order answers, if it was carried out. @throws ApiError when it was refused */
export function resultOf<Result>(schema: z.ZodType<Result>, reply: OperatorReply): Result {
  if (!reply.ok) throw new ApiError(reply.code, reply.message);
  return schema.parse(reply.result);
}
