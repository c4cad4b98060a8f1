import { strict as assert } from "node:assert";
import { describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { ControllerCommand } from "../../control/controller/controller-events.ts";
import type { StoreChange } from "../../control/store-port.ts";
import { eventually } from "../../platform/eventually.testing.ts";
import { silentLogger } from "../../platform/log.ts";
import { MemoryStore } from "../../platform/store/memory-store.testing.ts";
import { UserError } from "../../std/errors.ts";
import { ControllerLoop } from "./controller-loop.ts";
import { FakeMachine } from "./fake-machine.testing.ts";
import { maximumQueuedEvents } from "./limits.ts";
import { raiseTerm } from "./term.ts";

class SlowStore extends MemoryStore {
  /** While it is set, writes wait for it. */
  gate: Promise<void> | undefined;

  override async write(batch: Parameters<MemoryStore["write"]>[0]): Promise<boolean> {
    await this.gate;
    return super.write(batch);
  }
}

async function setUp() {
  const store = new SlowStore();
  const { row } = await raiseTerm(store, 1_000);
  store.writes = 0;
  const machine = new FakeMachine();
  const carriedOut: ControllerCommand[] = [];
  const fatal: unknown[] = [];
  const pressure: boolean[] = [];
  const clock = { now: 0 };
  const loop = new ControllerLoop({
    machine,
    store,
    term: row,
    nowNanoseconds: () => clock.now,
    logger: silentLogger(),
    carryOut: (command) => void carriedOut.push(command),
    onPressure: (high) => void pressure.push(high),
    onFatal: (error) => void fatal.push(error),
  });
  return { store, machine, carriedOut, fatal, pressure, clock, loop };
}

const change = (key: string, value: number): StoreChange => ({ table: "agents", key, value: Uint8Array.of(value) });
const note = (text: string): ControllerCommand => ({ type: "note", level: "info", text });

describe("controller loop", () => {
  it("makes durable what came of an event before it carries anything out", async () => {
    const { store, machine, carriedOut, loop } = await setUp();
    let open: () => void = () => undefined;
    store.gate = new Promise((resolve) => (open = resolve));
    machine.react = () => ({ changes: [change("a", 1)], commands: [note("after")] });
    loop.submit({ type: "opened", connectionId: 1, role: "agent" });
    await eventually(() => assert.equal(machine.events.length, 1));
    assert.deepEqual(carriedOut, []);
    open();
    await eventually(() => assert.deepEqual(carriedOut, [note("after")]));
    assert.deepEqual(await store.read("agents", "a"), Uint8Array.of(1));
  });

  it("writes together what arrives together or during a write, the last change of a row winning", async () => {
    const { store, machine, carriedOut, loop } = await setUp();
    let open: () => void = () => undefined;
    store.gate = new Promise((resolve) => (open = resolve));
    let count = 0;
    machine.react = () => {
      count += 1;
      return { changes: [change("a", count)], commands: [note(String(count))] };
    };
    for (let index = 0; index < 5; index += 1) loop.submit({ type: "timer" });
    await eventually(() => assert.equal(count, 5));
    for (let index = 0; index < 7; index += 1) loop.submit({ type: "timer" });
    await pause(20);
    assert.equal(count, 5);
    open();
    await eventually(() => assert.equal(store.writes, 2));
    assert.deepEqual(await store.read("agents", "a"), Uint8Array.of(12));
    assert.deepEqual(
      carriedOut,
      Array.from({ length: 12 }, (_, index) => note(String(index + 1))),
    );
  });

  it("writes nothing for events that change nothing", async () => {
    const { store, loop } = await setUp();
    loop.submit({ type: "timer" });
    await pause(20);
    assert.equal(store.writes, 0);
  });

  it("stops without sending anything when another controller has raised the term", async () => {
    const { store, machine, carriedOut, fatal, loop } = await setUp();
    await raiseTerm(store, 1_000);
    machine.react = () => ({ changes: [change("a", 1)], commands: [note("never")] });
    loop.submit({ type: "timer" });
    await eventually(() => assert.equal(fatal.length, 1));
    assert.equal(carriedOut.length, 0);
    assert.equal(await store.read("agents", "a"), undefined);
    assert.ok(fatal[0] instanceof UserError && /another controller has taken over/.test(fatal[0].message));
    loop.submit({ type: "timer" });
    await pause(20);
    assert.equal(machine.events.length, 1);
  });

  it("stops when the store fails", async () => {
    const { store, machine, carriedOut, fatal, loop } = await setUp();
    store.failNextWriteWith = new UserError("the disk is full");
    machine.react = () => ({ changes: [change("a", 1)], commands: [note("never")] });
    loop.submit({ type: "timer" });
    await eventually(() => assert.deepEqual([carriedOut.length, fatal.length], [0, 1]));
  });

  it("closes the connection whose message brings out a defect, and goes on", async () => {
    const { machine, carriedOut, fatal, loop } = await setUp();
    machine.react = (event) => {
      if (event.type === "publisherMessage") throw new TypeError("a defect");
      return { commands: [note(event.type)] };
    };
    const message = { type: "alive", publishId: "0".repeat(32) } as const;
    loop.submit({ type: "publisherMessage", connectionId: 7, message });
    loop.submit({ type: "timer" });
    await eventually(() => assert.deepEqual(carriedOut, [{ type: "close", connectionId: 7 }, note("timer")]));
    assert.deepEqual(fatal, []);
  });

  it("wakes the machine when it asked for that, and not sooner", async () => {
    const { machine, clock, loop } = await setUp();
    machine.react = (event) => (event.type === "timer" ? {} : { wakeAtNanoseconds: 40_000_000 });
    loop.submit({ type: "opened", connectionId: 1, role: "agent" });
    await eventually(() => assert.equal(machine.events.length, 1));
    clock.now = 40_000_000;
    await eventually(() => assert.deepEqual(machine.events.at(-1), { type: "timer" }));
  });

  it("says when its queue is over the bound and when it has been worked off", async () => {
    const { pressure, loop } = await setUp();
    for (let index = 0; index <= maximumQueuedEvents; index += 1) loop.submit({ type: "timer" });
    assert.deepEqual(pressure, [true]);
    await eventually(() => assert.deepEqual(pressure, [true, false]));
  });
});
