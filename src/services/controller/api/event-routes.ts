/** The event stream. What it carries is said in protocol/api/events.ts. */
import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import { z } from "zod";
import { deltaEventSchema, snapshotEventSchema, topicNameSchema } from "../../../protocol/api/events.ts";
import { maximumTopicsPerStream } from "../limits.ts";
import { ApiError } from "./api-errors.ts";
import type { ControllerApiOptions } from "./route-parts.ts";

const topicsSchema = z
  .string()
  .default("overview")
  .transform((text) => [...new Set(text.split(","))])
  .pipe(z.array(topicNameSchema).min(1).max(maximumTopicsPerStream))
  .describe("Topics, separated by commas");

const stream = createRoute({
  method: "get",
  path: "/v1/events",
  tags: ["Events"],
  summary: "Follow what happens, as server-sent events: for each topic a `snapshot`, then `delta`s",
  description:
    "Every event's `data` is one JSON text. Rows are whole: a newer one with the same key replaces the older. A client that does not keep up gets a fresh snapshot. After a broken connection, `Last-Event-ID` with the same topics brings what was missed, or a snapshot.",
  request: {
    query: z.object({ topics: topicsSchema }),
    headers: z.object({ "last-event-id": z.string().max(100).optional() }),
  },
  responses: {
    200: {
      description: "`event: snapshot` and `event: delta`, until the client or the controller closes the connection",
      content: { "text/event-stream": { schema: z.union([snapshotEventSchema, deltaEventSchema]) } },
    },
  },
});

export function addEventRoutes(api: OpenAPIHono, { events }: ControllerApiOptions): void {
  api.openapi(stream, (context) => {
    const { topics } = context.req.valid("query");
    const followed = events.follow(topics, context.req.header("last-event-id"));
    if (followed === undefined) {
      throw new ApiError("unavailable", "as many event streams are open as the controller serves: try again later");
    }
    return context.body(followed, 200, {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store",
      // Proxies that gather answers would hold events back.
      "x-accel-buffering": "no",
    });
  });
}
