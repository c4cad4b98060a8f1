import test from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import type { ControllerToPublisher } from "../../protocol/publisher-messages.ts";
import { publisherMessageSchema } from "../../protocol/publisher-messages.ts";
import { fromBase64 } from "../../std/base64.ts";
import type { PublisherCommand, PublisherEvent, PublishRequest } from "./publisher-events.ts";
import { PublisherCore, type PublisherCoreOptions } from "./publisher-core.ts";

const second = 1_000_000_000;
const publishId = "0".repeat(31) + "1";
const agentId = "0".repeat(31) + "2";
const root = (digit: number): string => `blake3:${String(digit).repeat(64)}`;
const request: PublishRequest = {
  publishId,
  name: "index",
  version: "7",
  selector: "all",
  priority: 0,
  activate: true,
  growing: false,
  algorithm: "blake3",
  pieceBytes: 65_536,
};

/** One line a command, for traces that people can read. */
function show(command: PublisherCommand): string {
  switch (command.type) {
    case "send": {
      const { message } = command;
      publisherMessageSchema.parse(message);
      switch (message.type) {
        case "begin":
          return `> begin ${message.name}@${message.version} ${message.root === undefined ? "growing" : `${message.manifestBytes} bytes`}`;
        case "append":
          return `> append ${message.offset}+${fromBase64(message.bytes).length}${message.root === undefined ? "" : ` root ${message.root.at(-1)}`}`;
        case "handedOver": {
          const lanes = message.lanes.map(
            (lane) => `${lane.laneId}:${lane.handedBytes}${lane.ended === undefined ? "" : ` ${lane.ended}`}`,
          );
          const failures = message.failures.map((failure) => `${failure.laneId} ${failure.kind}`);
          return `> handedOver [${lanes.join(", ")}] failures [${failures.join(", ")}]`;
        }
        case "abort":
          return `> abort ${message.reason}`;
        default:
          return `> ${message.type}`;
      }
    }
    case "openLane":
      return `openLane ${command.lane.laneId}`;
    case "handOver":
      return `handOver ${command.laneId} ${command.portions.map((portion) => `${portion.order} ${portion.ranges.join("-")}`).join(", ")}`;
    case "setRate":
      return `setRate ${command.laneId} ${command.rateBitsPerSecond}`;
    case "closeLane":
      return `closeLane ${command.laneId}`;
    case "flush":
      return `flush ${command.flushId}`;
    case "finish":
      return `finish ${JSON.stringify(command.outcome)}`;
    case "reconnect":
      return `reconnect ${command.reason}`;
    case "held":
      return `held ${command.ranges.join("-")}`;
    case "awaitWritable":
      break;
  }
  return command.type;
}

function start(options: Partial<PublishRequest> = {}, coreOptions: PublisherCoreOptions = {}) {
  const core = new PublisherCore({ ...request, ...options }, 0, coreOptions);
  let wakeAt: number | undefined;
  const take = (event: PublisherEvent, now = 0): string[] => {
    const output = core.handle(event, now);
    wakeAt = output.wakeAtNanoseconds;
    return output.commands.map(show);
  };
  return {
    core,
    take,
    hear: (message: ControllerToPublisher, now = 0): string[] => take({ type: "message", message }, now),
    wakeAt: (): number | undefined => wakeAt,
  };
}

const manifest = (bytes: number, digit = 1, blockCount = 10, pieceCount = 1): PublisherEvent => ({
  type: "manifest",
  bytes: new Uint8Array(bytes),
  root: root(digit),
  blockCount,
  pieceCount,
});
const accepted = (manifestBytes: number, term = 3): ControllerToPublisher => ({
  type: "accepted",
  publishId,
  term,
  manifestBytes,
  heartbeatMilliseconds: 2_000,
});
const lane = (laneId: number) => ({
  laneId,
  holderName: "fra-0",
  holderId: agentId,
  address: "127.0.0.1:1",
  rateBitsPerSecond: 1_000_000,
  path: [],
});
const portion = (start: number, end: number, order: "content" | "manifest" = "content") => ({
  fileSet: "index@7",
  order,
  ranges: [start, end],
});
const instruct = (
  parts: Partial<Extract<ControllerToPublisher, { type: "instruct" }>>,
  term = 3,
): ControllerToPublisher => ({ type: "instruct", term, close: [], open: [], transfers: [], rates: [], ...parts });
const give = (laneId: number, start: number, end: number) => ({ laneId, portions: [portion(start, end)], ticket: "t" });
const allHandedOver: ControllerToPublisher = {
  type: "allHandedOver",
  publishId,
  fileSet: "index@7",
  receivers: [{ agentId, address: "127.0.0.1:1", laneId: 9, ticket: "t" }],
};

test("a publish of known content, from begin to committed", () => {
  const { take, hear } = start();
  assert.deepEqual(take(manifest(500)), []);
  assert.deepEqual(take({ type: "connected" }), ["> begin index@7 500 bytes"]);
  assert.deepEqual(hear(accepted(0)), ["> append 0+500 root 1"]);
  assert.deepEqual(hear(instruct({ open: [lane(5)], transfers: [give(5, 0, 4)] })), [
    "openLane 5",
    "handOver 5 content 0-4",
  ]);
  assert.deepEqual(take({ type: "handed", lanes: [{ laneId: 5, handedBytes: 100 }] }), [
    "> handedOver [5:100] failures []",
  ]);
  assert.deepEqual(take({ type: "handed", lanes: [{ laneId: 5, handedBytes: 100 }] }), []);
  assert.deepEqual(
    hear(instruct({ transfers: [give(5, 4, 10)], rates: [{ laneId: 5, rateBitsPerSecond: 7, ticket: "t" }] })),
    ["handOver 5 content 4-10", "setRate 5 7"],
  );
  assert.deepEqual(hear({ type: "held", publishId, order: "content", ranges: [0, 10] }), ["held 0-10"]);
  assert.deepEqual(hear(instruct({ close: [5] })), ["closeLane 5", "> handedOver [5:100 closed] failures []"]);
  assert.deepEqual(hear(allHandedOver), ["flush 1"]);
  assert.deepEqual(take({ type: "flushed", flushId: 1, failures: [] }), ["> commit"]);
  assert.deepEqual(hear({ type: "committed", publishId }), ['finish {"kind":"committed"}']);
  assert.deepEqual(take({ type: "stopped", reason: "too late" }), []);
});

test("the manifest may come after the connection", () => {
  const { take } = start();
  assert.deepEqual(take({ type: "connected" }), []);
  assert.deepEqual(take(manifest(500)), ["> begin index@7 500 bytes"]);
});

test("a lost connection: begun anew under the same id, from where the controller says", () => {
  const { take, hear } = start();
  take(manifest(500));
  take({ type: "connected" });
  hear(accepted(0));
  hear(instruct({ open: [lane(1)], transfers: [give(1, 0, 4)] }));
  hear(allHandedOver);
  assert.deepEqual(take({ type: "disconnected", reason: "gone" }), []);
  // What goes on meanwhile is kept for later; the answer to the flush counts for nothing any more.
  assert.deepEqual(take({ type: "handed", lanes: [{ laneId: 1, handedBytes: 50 }] }), []);
  assert.deepEqual(take({ type: "flushed", flushId: 1, failures: [] }), []);
  assert.deepEqual(take({ type: "connected" }), ["> begin index@7 500 bytes"]);
  assert.deepEqual(hear(accepted(300, 4)), [
    "closeLane 1",
    "> append 300+200 root 1",
    "> handedOver [1:50 closed] failures []",
  ]);
  // An instruction of the earlier controller counts for nothing; a new lane may have an old one's number.
  assert.deepEqual(hear(instruct({ open: [lane(1)] }, 3)), []);
  assert.deepEqual(hear(instruct({ open: [lane(1)], transfers: [give(1, 2, 3)] }, 4)), [
    "openLane 1",
    "handOver 1 content 2-3",
  ]);
  assert.deepEqual(hear(allHandedOver), ["flush 2"]);
  assert.deepEqual(take({ type: "flushed", flushId: 1, failures: [] }), []);
  assert.deepEqual(take({ type: "flushed", flushId: 2, failures: [] }), ["> commit"]);
  take({ type: "disconnected", reason: "gone" });
  take({ type: "connected" });
  assert.deepEqual(hear({ type: "already", publishId }), ["closeLane 1", 'finish {"kind":"committed"}']);
});

test("failures are told, also those of a time without connection, and of receivers that cannot flush", () => {
  const { take, hear } = start();
  take(manifest(500));
  take({ type: "connected" });
  hear(accepted(500));
  hear(instruct({ open: [lane(1), lane(2)], transfers: [give(1, 0, 4), give(2, 4, 10)] }));
  assert.deepEqual(take({ type: "laneFailed", laneId: 1, handedBytes: 10, kind: "reset", detail: "broke" }), [
    "> handedOver [1:10 failed] failures [1 reset]",
  ]);
  assert.deepEqual(take({ type: "laneFailed", laneId: 1, handedBytes: 10, kind: "reset", detail: "again" }), []);
  take({ type: "disconnected", reason: "gone" });
  take({ type: "laneFailed", laneId: 2, handedBytes: 20, kind: "stalled", detail: "slow" });
  take({ type: "connected" });
  assert.deepEqual(hear(accepted(500)), ["> handedOver [2:20 failed] failures [2 stalled]"]);
  assert.deepEqual(hear(allHandedOver), ["flush 1"]);
  const failures = [{ laneId: 9, kind: "disk", detail: "full" }] as const;
  assert.deepEqual(take({ type: "flushed", flushId: 1, failures }), ["> handedOver [] failures [9 disk]"]);
  assert.deepEqual(take({ type: "timer" }, second), ["> begin index@7 500 bytes"]);
  hear(accepted(500), second);
  assert.deepEqual(hear(instruct({ open: [lane(3)], transfers: [give(3, 0, 10)] }), second), [
    "openLane 3",
    "handOver 3 content 0-10",
  ]);
  assert.deepEqual(hear(allHandedOver, second), ["flush 2"]);
});

test("the word that all is handed over may come just before the publish is accepted", () => {
  const { take, hear } = start();
  take(manifest(500));
  take({ type: "connected" });
  assert.deepEqual(hear(allHandedOver), []);
  assert.deepEqual(hear(accepted(500)), ["flush 1"]);
  take({ type: "disconnected", reason: "gone" });
  take({ type: "connected" });
  assert.deepEqual(hear(accepted(500)), []);
});

test("new transfers take back that everything is handed over", () => {
  const { take, hear } = start();
  take(manifest(500));
  take({ type: "connected" });
  hear(accepted(500));
  hear(allHandedOver);
  hear(instruct({ open: [lane(3)], transfers: [give(3, 0, 10)] }));
  assert.deepEqual(take({ type: "flushed", flushId: 1, failures: [] }), []);
});

test("stopping sends an abort, at once or when the controller is back, and gives up after a while", () => {
  const running = start();
  running.take(manifest(5));
  running.take({ type: "connected" });
  running.hear(accepted(0));
  assert.deepEqual(running.take({ type: "stopped", reason: "a changed" }), [
    "> abort a changed",
    'finish {"kind":"stopped","reason":"a changed"}',
  ]);

  const away = start();
  away.take(manifest(5));
  away.take({ type: "connected" });
  away.hear(accepted(0));
  away.take({ type: "disconnected", reason: "gone" });
  assert.deepEqual(away.take({ type: "stopped", reason: "interrupted" }, second), []);
  assert.deepEqual(away.take({ type: "connected" }, 2 * second)[0], "> abort interrupted");

  const gone = start();
  gone.take(manifest(5));
  gone.take({ type: "connected" });
  gone.hear(accepted(0));
  gone.take({ type: "disconnected", reason: "gone" });
  gone.take({ type: "stopped", reason: "interrupted" }, second);
  assert.equal(gone.wakeAt(), 6 * second);
  assert.deepEqual(gone.take({ type: "timer" }, 6 * second), ['finish {"kind":"stopped","reason":"interrupted"}']);

  const unknown = start();
  assert.deepEqual(unknown.take({ type: "stopped", reason: "x" }), ['finish {"kind":"stopped","reason":"x"}']);
});

test("patience: short before the controller has accepted, long afterwards", () => {
  const first = start();
  first.take(manifest(5));
  first.take({ type: "disconnected", reason: "nothing answers there" });
  assert.equal(first.wakeAt(), 30 * second);
  assert.deepEqual(first.take({ type: "timer" }, 30 * second), [
    'finish {"kind":"unreachable","reason":"nothing answers there"}',
  ]);

  const later = start();
  later.take(manifest(5));
  later.take({ type: "connected" });
  later.hear(accepted(5), second);
  assert.equal(later.wakeAt(), 2 * second);
  assert.deepEqual(later.take({ type: "timer" }, 3 * second), ["> alive"]);
  later.take({ type: "disconnected", reason: "gone" }, 100 * second);
  assert.deepEqual(later.take({ type: "timer" }, 999 * second), []);
  assert.deepEqual(later.take({ type: "timer" }, 1_000 * second), ['finish {"kind":"unreachable","reason":"gone"}']);
});

test("turned away: for good, or only until a restarted controller knows its agents again", () => {
  const first = start();
  first.take(manifest(5));
  first.take({ type: "connected" });
  assert.deepEqual(first.hear({ type: "rejected", publishId, code: "exists", reason: "other content" }), [
    'finish {"kind":"rejected","code":"exists","reason":"other content"}',
  ]);

  const again = start();
  again.take(manifest(5));
  again.take({ type: "connected" });
  again.hear(accepted(5));
  again.take({ type: "disconnected", reason: "gone" }, second);
  again.take({ type: "connected" }, 2 * second);
  const offline: ControllerToPublisher = { type: "rejected", publishId, code: "agentOffline", reason: "offline" };
  assert.deepEqual(again.hear(offline, 3 * second), []);
  assert.equal(again.wakeAt(), 4 * second);
  assert.deepEqual(again.take({ type: "timer" }, 4 * second), ["> begin index@7 5 bytes"]);
  assert.deepEqual(again.hear(accepted(5), 4 * second), []);
});

test("a growing publish: the manifest follows, the newest root with its last byte", () => {
  const { take, hear } = start({ growing: true });
  assert.deepEqual(take({ type: "connected" }), ["> begin index@7 growing"]);
  assert.deepEqual(take(manifest(10, 1, 0)), []);
  assert.deepEqual(hear(accepted(0)), ["> append 0+10 root 1"]);
  assert.deepEqual(take(manifest(40, 2, 1)), ["> append 10+40 root 2"]);
  take({ type: "disconnected", reason: "gone" });
  take(manifest(40, 3, 2));
  take(manifest(40, 4, 3));
  take({ type: "connected" });
  assert.deepEqual(hear(accepted(50)), ["> append 50+80 root 4"]);
});

test("a stream that the controller gave up cannot be begun anew", () => {
  for (const isReadOnce of [true, false]) {
    const { take, hear } = start({ growing: true }, { isReadOnce });
    take({ type: "connected" });
    hear(accepted(0));
    take(manifest(10, 1, 3));
    hear({ type: "held", publishId, order: "content", ranges: [0, 1] });
    take({ type: "disconnected", reason: "gone" });
    take({ type: "connected" });
    assert.match(
      hear(accepted(0))[0]!,
      isReadOnce ? /^> abort the controller gave this publish up/ : /^> append 0\+10/,
    );
  }
});

test("a long manifest waits for room in the channel", () => {
  const { take, hear } = start();
  const bytes = 2_500_000;
  take(manifest(bytes));
  take({ type: "connected" });
  const lines = hear(accepted(0));
  while (lines.at(-1) === "awaitWritable") {
    lines.pop();
    lines.push(...take({ type: "writable" }));
  }
  let next = 0;
  for (const line of lines) {
    const [, offset, length, end] = /^> append (\d+)\+(\d+)( root 1)?$/.exec(line)!;
    assert.equal(Number(offset), next);
    next += Number(length);
    assert.equal(end !== undefined, next === bytes);
  }
  assert.equal(next, bytes);
});

test("instructions that make no sense fail their lane, nothing else", () => {
  const { take, hear } = start();
  take(manifest(500, 1, 10, 1));
  take({ type: "connected" });
  hear(accepted(500));
  assert.deepEqual(
    hear(
      instruct({
        open: [lane(1), lane(2), lane(3)],
        transfers: [
          { laneId: 1, portions: [portion(0, 1), portion(5, 11)], ticket: "t" },
          { laneId: 2, portions: [{ ...portion(0, 1), fileSet: "other@7" }], ticket: "t" },
          { laneId: 3, portions: [portion(0, 1, "manifest"), portion(0, 1)], ticket: "t" },
          { laneId: 4, portions: [portion(0, 1)], ticket: "t" },
        ],
        rates: [{ laneId: 4, rateBitsPerSecond: 1, ticket: "t" }],
        close: [8],
      }),
    ),
    [
      "openLane 1",
      "openLane 2",
      "openLane 3",
      "closeLane 1",
      "closeLane 2",
      "handOver 3 manifest 0-1, content 0-1",
      "> handedOver [1:0 failed, 2:0 failed] failures [1 notHeld, 2 notHeld]",
    ],
  );
  assert.deepEqual(hear({ type: "committed", publishId: agentId }), [
    "reconnect the controller speaks of another publish",
  ]);
  take({ type: "disconnected", reason: "restarted" });
  take({ type: "connected" });
  assert.match(hear(accepted(501))[1]!, /^> abort the controller says it has 501 bytes/);
});

const anyEvent: fc.Arbitrary<PublisherEvent> = fc.oneof(
  fc.constant<PublisherEvent>({ type: "connected" }),
  fc.constant<PublisherEvent>({ type: "disconnected", reason: "gone" }),
  fc.constant<PublisherEvent>({ type: "writable" }),
  fc.constant<PublisherEvent>({ type: "timer" }),
  fc.constant<PublisherEvent>(manifest(300_000, 1, 5, 3)),
  fc.integer({ min: 0, max: 300_000 }).map<PublisherEvent>((bytes) => ({ type: "message", message: accepted(bytes) })),
  fc.integer({ min: 1, max: 3 }).map<PublisherEvent>((id) => ({
    type: "message",
    message: instruct({ open: [lane(id)], transfers: [give(id, 0, 2)], close: [id + 1] }),
  })),
  fc.constant<PublisherEvent>({ type: "message", message: allHandedOver }),
  fc.integer({ min: 1, max: 4 }).map<PublisherEvent>((flushId) => ({ type: "flushed", flushId, failures: [] })),
  fc.integer({ min: 1, max: 3 }).map<PublisherEvent>((laneId) => ({
    type: "laneFailed",
    laneId,
    handedBytes: 1,
    kind: "reset",
    detail: "",
  })),
  fc
    .constantFrom("busy" as const, "agentOffline" as const)
    .map<PublisherEvent>((code) => ({ type: "message", message: { type: "rejected", publishId, code, reason: "" } })),
  fc.constant<PublisherEvent>({ type: "stopped", reason: "x" }),
  fc.constant<PublisherEvent>({ type: "message", message: { type: "committed", publishId } }),
);

test("property: whatever comes, one finish, lanes stay in order, a commit only after the newest flush", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(anyEvent, fc.integer({ min: 0, max: second })), { maxLength: 80 }), (events) => {
      const core = new PublisherCore({ ...request, growing: true }, 0);
      const lanes = new Set<number>();
      let now = 0;
      let finished = false;
      let newestFlush = 0;
      for (const [event, pause] of events) {
        now += pause;
        const { commands, wakeAtNanoseconds } = core.handle(event, now);
        assert.ok(!finished || (commands.length === 0 && wakeAtNanoseconds === undefined));
        for (const command of commands) {
          assert.ok(!finished, "nothing after finish");
          show(command);
          if (command.type === "openLane") assert.ok(!lanes.has(command.lane.laneId));
          if (command.type === "openLane") lanes.add(command.lane.laneId);
          if (command.type === "handOver" || command.type === "setRate") assert.ok(lanes.has(command.laneId));
          if (command.type === "closeLane") assert.ok(lanes.delete(command.laneId));
          if (command.type === "flush") newestFlush = command.flushId;
          if (command.type === "send" && command.message.type === "commit") {
            assert.ok(event.type === "flushed" && event.flushId === newestFlush);
          }
          finished ||= command.type === "finish";
        }
        if (event.type === "laneFailed") lanes.delete(event.laneId);
        if (finished) assert.equal(lanes.size, 0);
      }
    }),
    { numRuns: 500 },
  );
});
