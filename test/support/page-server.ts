/** The dashboard with an invented fleet behind it: the page itself as the controller serves it, and its event stream. */
import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import { streamSSE } from "hono/streaming";
import type { AnyTopicData } from "#src/protocol/api/events.ts";
import { collectionKeys, parseTopic } from "#src/protocol/api/topics.ts";
import { accept } from "#src/platform/accept.ts";
import type { Accepting } from "#src/platform/accept.ts";
import { addDashboardPage } from "#src/services/controller/dashboard-page.ts";
import type { InventedFleet } from "./invented-fleet.ts";

const stepMilliseconds = 250;

type Row = Readonly<Record<string, unknown>>;

export interface ServedPage {
  readonly accepting: Accepting;
  /** The paths of the orders that were given, in turn. */
  readonly orders: readonly string[];
}

/** Serves until it is closed. The fleet advances four times a second as long as somebody looks. */
export async function serveInventedFleet(fleet: InventedFleet, port = 0): Promise<ServedPage> {
  const api = new Hono();
  const orders: string[] = [];
  addDashboardPage(api);
  api.get("/v1/filesets/:name/versions/:version/files", (context) => {
    const files = Array.from({ length: 300 }, (_, index) => ({
      path: `parts/part-${String(index).padStart(4, "0")}.bin`,
      lengthBytes: 28_000_000 + index * 91_117,
      version: 1 + (index % 3),
      growing: false,
    }));
    return context.json({ files, total: files.length });
  });
  api.post("/v1/*", (context) => {
    orders.push(context.req.path);
    return context.json({ done: "put back by the test" });
  });
  api.get("/v1/events", (context) =>
    streamSSE(context, async (stream) => {
      const topics = (context.req.query("topics") ?? "overview").split(",");
      const shown = new Map<string, AnyTopicData>();
      while (!stream.aborted && !stream.closed) {
        for (const topic of topics) {
          const data = fleet.topic(topic);
          if (data === undefined) continue;
          const before = shown.get(topic);
          shown.set(topic, data);
          const envelope = { topic, atMilliseconds: fleet.nowMilliseconds };
          if (before === undefined) {
            await stream.writeSSE({ event: "snapshot", data: JSON.stringify({ ...envelope, data }) });
          } else {
            const changed = changesOf(topic, before, data);
            await stream.writeSSE({ event: "delta", data: JSON.stringify({ ...envelope, changed }) });
          }
        }
        await stream.sleep(stepMilliseconds);
        fleet.advance();
      }
    }),
  );
  const listener = getRequestListener(api.fetch, { overrideGlobalObjects: false });
  const accepting = await accept({
    host: "127.0.0.1",
    port,
    onRequest: (request, response) => void listener(request, response),
    upgrades: {},
  });
  return { accepting, orders };
}

function changesOf(topic: string, before: AnyTopicData, after: AnyTopicData): Record<string, unknown> {
  const kind = parseTopic(topic)?.kind;
  const keys: Readonly<Record<string, string>> = kind === undefined ? {} : collectionKeys[kind];
  const changed: Record<string, unknown> = {};
  for (const [part, value] of Object.entries(after as Record<string, unknown>)) {
    const key = keys[part];
    if (key === undefined) {
      changed[part] = value;
      continue;
    }
    const old = new Map((before as Record<string, Row[]>)[part]?.map((row) => [row[key], JSON.stringify(row)]));
    changed[part] = (value as Row[]).filter((row) => old.get(row[key]) !== JSON.stringify(row));
  }
  return changed;
}
