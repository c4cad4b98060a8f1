/** What the loop promises: durable first, in order, and patient with a disk that cannot save. */
import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { it } from "node:test";
import type { AgentDocument } from "../../control/agent/agent-document.ts";
import type { AgentEvent, AgentOutput } from "../../control/agent/agent-events.ts";
import { eventually } from "../../platform/eventually.testing.ts";
import { silentLogger } from "../../platform/log.ts";
import { AgentLoop } from "./agent-loop.ts";

const document: AgentDocument = {
  format: 1,
  term: 1,
  keepVersions: 2,
  fileSets: [],
  active: [],
  failures: [],
  nextFailureId: 1,
};

interface Harness {
  readonly loop: AgentLoop;
  readonly lines: string[];
  readonly fatal: unknown[];
}

/** The machine notes each event; `disk` events come with a document. */
function harness(save: () => Promise<void>, handle?: (event: AgentEvent) => void): Harness {
  const lines: string[] = [];
  const fatal: unknown[] = [];
  let now = 0;
  const loop = new AgentLoop({
    machine: {
      handle: (event): AgentOutput => {
        handle?.(event);
        lines.push(`handle ${event.type}`);
        const text = event.type;
        return {
          document: event.type === "disk" ? document : undefined,
          commands: [{ type: "note", level: "info", text }],
          wakeAtNanoseconds: event.type === "connected" ? now + 5_000_000 : undefined,
        };
      },
    },
    nowNanoseconds: () => (now += 1),
    saveDocument: async () => {
      lines.push("save");
      await save();
    },
    carryOut: (command) => lines.push(command.type === "note" ? `do ${command.text}` : command.type),
    onPressure: (isHigh) => lines.push(isHigh ? "pressure" : "relief"),
    onFatal: (error) => fatal.push(error),
    logger: silentLogger(),
  });
  return { loop, lines, fatal };
}

it("carries out at once what needs no document, and nothing before its document is saved", async () => {
  let saved: () => void = () => undefined;
  const { loop, lines } = harness(() => new Promise((resolve) => (saved = resolve)));
  loop.submit({ type: "disconnected" }, () => lines.push("told"));
  assert.deepEqual(lines.splice(0), ["handle disconnected", "do disconnected", "told"]);
  loop.submit({ type: "disk", freeBytes: 1 });
  loop.submit({ type: "disconnected" });
  await pause(1);
  assert.deepEqual(lines.splice(0), ["handle disk", "save"]);
  saved();
  await pause(1);
  assert.deepEqual(lines.splice(0), ["do disk", "handle disconnected", "do disconnected"]);
  await loop.stop();
});

it("tries again when a document cannot be saved, and gives up when it is stopped", async () => {
  let failures = 1;
  const { loop, lines } = harness(async () => {
    failures -= 1;
    if (failures >= 0) throw new Error("no space left");
  });
  loop.submit({ type: "disk", freeBytes: 1 });
  await pause(700);
  assert.deepEqual(lines.splice(0), ["handle disk", "save", "save", "do disk"]);
  failures = 100;
  loop.submit({ type: "disk", freeBytes: 1 });
  await pause(1);
  await loop.stop();
  assert.deepEqual(lines, ["handle disk", "save"]);
});

it("wakes the machine, sheds load, and ends on a defect", async () => {
  const { loop, lines, fatal } = harness(
    () => pause(1),
    (event) => {
      if (event.type === "deleted") throw new Error("defect");
    },
  );
  loop.submit({ type: "connected" });
  await eventually(() => assert.deepEqual(lines, ["handle connected", "do connected", "handle timer", "do timer"]));
  lines.length = 0;
  loop.submit({ type: "disk", freeBytes: 1 });
  for (let count = 0; count < 10_001; count += 1) loop.submit({ type: "disconnected" });
  assert.ok(lines.includes("pressure"));
  await eventually(() => assert.ok(lines.includes("relief")));
  loop.submit({ type: "deleted", fileSet: "a@1" });
  loop.submit({ type: "timer" });
  assert.equal(fatal.length, 1);
  assert.equal(lines.at(-1), "do disconnected");
});
