/** The topology: what is in force, and another one. */
import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import { stringify } from "yaml";
import { z } from "zod";
import type { Topology } from "../../../model/topology.ts";
import { formatTopology } from "../../../model/topology-format.ts";
import { maximumTopologyBytes, parseTopologyText, TopologyTextError } from "../../../platform/yaml-topology.ts";
import { doneViewSchema, topologyViewSchema } from "../../../protocol/views.ts";
import { ApiError, tooLarge } from "./api-errors.ts";
import { jsonAnswer, type ControllerApiOptions } from "./route-parts.ts";

export const topologyPath = "/v1/topology";
const tags = ["Topology"];
const yaml = "application/yaml";

const show = createRoute({
  method: "get",
  path: topologyPath,
  tags,
  summary: "The topology in force; with `Accept: application/yaml` the text as it was written, comments and all",
  responses: {
    200: {
      description: "The topology",
      content: { "application/json": { schema: topologyViewSchema }, [yaml]: { schema: z.string() } },
    },
  },
});

const put = createRoute({
  method: "put",
  path: topologyPath,
  tags,
  summary: "Put another topology into force; every mistake in it is named with its line",
  request: { body: { description: "YAML; see docs/topology.md", content: { [yaml]: { schema: z.string() } } } },
  responses: { 200: jsonAnswer(doneViewSchema, "It is in force") },
});

export function addTopologyRoutes(
  api: OpenAPIHono,
  { machine, topologyText, applyTopology }: ControllerApiOptions,
): void {
  api.openapi(show, (context) => {
    const topology = formatTopology(machine.topology());
    if (!(context.req.header("accept") ?? "").includes("yaml")) return context.json(topology, 200);
    return context.body(topologyText() ?? stringify(topology), 200, { "content-type": yaml });
  });
  api.openapi(put, async (context) => {
    const text = await readText(context, maximumTopologyBytes);
    let topology: Topology;
    try {
      topology = parseTopologyText(text, "topology");
    } catch (error) {
      if (error instanceof TopologyTextError) throw new ApiError("invalid", error.lines.join("\n"));
      throw error;
    }
    return context.json({ done: await applyTopology(topology, text) }, 200);
  });
}

/** A request's body as text. @throws ApiError when it has more bytes than this, or is not UTF-8 */
async function readText(context: Context, maximumBytes: number): Promise<string> {
  const parts: Uint8Array[] = [];
  let lengthBytes = 0;
  for await (const part of context.req.raw.body ?? []) {
    lengthBytes += part.length;
    if (lengthBytes > maximumBytes) throw tooLarge(maximumBytes);
    parts.push(part);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(parts));
  } catch {
    throw new ApiError("invalid", "the text is not UTF-8");
  }
}
