/**
 * Any order of events, with failures, breaks and restarts in between: what the controller was told is what the disk
 * holds, nothing is told that was not stored, and in the end everything wanted is held and activated.
 */
import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import type { StateMessage } from "../../protocol/agent-messages.ts";
import { stateSchema } from "../../protocol/agent-messages.ts";
import { RangeSet } from "../../std/ranges.ts";
import type { AgentDocument } from "./agent-document.ts";
import { agentDocumentSchema } from "./agent-document.ts";
import type { AgentCommand, AgentEvent } from "./agent-events.ts";
import { AgentCore } from "./agent-core.ts";
import { assign, identity, instruct, manifestOf, openLane, ticket, welcome } from "./agent-core.testing.ts";
import { testHash } from "../../model/manifest.testing.ts";

const contents: Readonly<Record<string, readonly number[]>> = {
  "a@1": [1, 2, 3, 4, 5, 1],
  "a@2": [1, 2, 9, 4, 5, 6, 7],
  "b@1": [],
  "c@1": [20, 20, 20, 21],
};
const keys = Object.keys(contents);
const manifests = new Map(keys.map((key) => [key, manifestOf(contents[key] ?? [])]));

interface Disk {
  manifest: Uint8Array;
  blocks: RangeSet;
}

/** An agent with a disk that answers whenever it is told to, and a controller that writes down what it hears. */
class World {
  now = 0;
  core = this.#newCore();
  document: AgentDocument | undefined;
  readonly disk = new Map<string, Disk>();
  readonly current = new Map<string, string>();
  orders: AgentCommand[] = [];
  lanes = new Set<number>();
  isConnected = false;
  heard = new Map<string, RangeSet>();
  heardCurrent = new Map<string, string>();
  heardLanes = new Set<number>();

  #newCore(): AgentCore {
    return new AgentCore({ identity, ports: { hash: testHash } });
  }

  event(event: AgentEvent): void {
    const output = this.core.handle(event, this.now);
    if (output.document !== undefined) {
      this.document = agentDocumentSchema.parse(JSON.parse(JSON.stringify(output.document)));
    }
    for (const command of output.commands) {
      if (command.type === "send" && command.message.type === "state") this.#hear(command.message);
      else if (command.type === "openLane") this.lanes.add(command.lane.laneId);
      else if (command.type === "closeLane") assert.ok(this.lanes.delete(command.laneId));
      else if (["storeManifest", "prepare", "finish", "activate", "delete", "discard"].includes(command.type)) {
        this.orders.push(command);
      }
    }
  }

  /** The disk carries out the oldest order. */
  answer(found: number): void {
    const order = this.orders.shift();
    if (order === undefined) return;
    if (order.type === "storeManifest") {
      const disk = this.disk.get(order.fileSet) ?? { manifest: new Uint8Array(0), blocks: new RangeSet() };
      assert.ok(order.offset <= disk.manifest.length);
      const manifest = new Uint8Array(order.offset + order.bytes.length);
      manifest.set(disk.manifest.subarray(0, order.offset));
      manifest.set(order.bytes, order.offset);
      this.disk.set(order.fileSet, { ...disk, manifest });
    } else if (order.type === "prepare") {
      const disk = this.disk.get(order.fileSet);
      assert.ok(disk !== undefined);
      if (found < order.manifest.blockCount) disk.blocks.add(found, found + 1);
      this.#fillDuplicates(order.fileSet);
      this.event({ type: "prepared", fileSet: order.fileSet, held: disk.blocks.clone() });
    } else if (order.type === "finish") {
      this.event({ type: "finished", fileSet: order.fileSet });
    } else if (order.type === "discard") {
      this.disk.get(order.fileSet)?.blocks.remove(order.block, order.block + 1);
    } else if (order.type === "activate") {
      if (order.version === null) this.current.delete(order.name);
      else this.current.set(order.name, order.version);
      this.event({ type: "activated", name: order.name, version: order.version });
    } else if (order.type === "delete") {
      const [name, version] = order.fileSet.split("@");
      assert.notEqual(this.current.get(name ?? ""), version, "current points to what is deleted");
      this.disk.delete(order.fileSet);
      this.event({ type: "deleted", fileSet: order.fileSet });
    }
  }

  store(key: string, block: number, laneId: number | undefined): void {
    const disk = this.disk.get(key);
    if (disk === undefined || this.core.manifest(key) === undefined || block >= (contents[key] ?? []).length) return;
    disk.blocks.add(block, block + 1);
    this.#fillDuplicates(key);
    this.event({ type: "stored", fileSet: key, order: "content", start: block, end: block + 1, laneId });
  }

  #fillDuplicates(key: string): void {
    const content = contents[key] ?? [];
    const disk = this.disk.get(key);
    content.forEach((name, block) => {
      if (disk?.blocks.has(content.indexOf(name)) === true) disk.blocks.add(block, block + 1);
    });
  }

  connect(): void {
    if (this.isConnected) this.event({ type: "disconnected" });
    this.isConnected = true;
    this.event({ type: "connected" });
    this.event({ type: "message", message: welcome() });
  }

  restart(): void {
    this.core = this.#newCore();
    this.orders = [];
    this.lanes.clear();
    this.isConnected = false;
    const stored = [...this.disk].map(([fileSet, disk]) => ({
      fileSet,
      manifestBytes: disk.manifest,
      held: disk.blocks.clone(),
    }));
    const current = [...this.current].map(([name, version]) => ({ name, version }));
    this.event({ type: "started", document: this.document, stored, current });
    this.connect();
  }

  #hear(message: StateMessage): void {
    stateSchema.parse(message);
    if (message.whole) {
      this.heard.clear();
      this.heardCurrent.clear();
      this.heardLanes.clear();
    }
    for (const fileSet of message.deleted) this.heard.delete(fileSet);
    for (const state of message.fileSets) {
      const held = this.heard.get(state.fileSet) ?? new RangeSet();
      held.removeAll(RangeSet.fromFlat(state.lost));
      held.addAll(RangeSet.fromFlat(state.content));
      this.heard.set(state.fileSet, held);
      const stored = this.disk.get(state.fileSet)?.blocks ?? new RangeSet();
      assert.ok(held.difference(stored).isEmpty, `${state.fileSet} is said to hold what is not stored`);
    }
    for (const { name, version } of message.current) {
      if (version === null) this.heardCurrent.delete(name);
      else this.heardCurrent.set(name, version);
    }
    for (const lane of message.lanes) {
      if (lane.ended === undefined) this.heardLanes.add(lane.laneId);
      else this.heardLanes.delete(lane.laneId);
    }
  }

  /** What was told, once all is told, is what is there. */
  checkHeard(): void {
    this.now += 1_000_000_000;
    this.event({ type: "timer" });
    for (const { fileSet, status, heldBlocks } of this.core.view().fileSets) {
      if (status !== "deleting") assert.equal(this.heard.get(fileSet)?.count, heldBlocks);
    }
    assert.deepEqual(
      [...this.heardLanes].filter((laneId) => !this.lanes.has(laneId)),
      [],
    );
    assert.deepEqual(new Map(this.heardCurrent), new Map(this.current));
  }
}

const key = fc.constantFrom(...keys);
const laneId = fc.integer({ min: 1, max: 3 });
const step: fc.Arbitrary<(world: World) => void> = fc.oneof(
  key.map((fileSet) => (world: World) => {
    world.event({
      type: "message",
      message: assign(fileSet, manifests.get(fileSet) ?? new Uint8Array(0), { tail: 0 }),
    });
  }),
  fc.tuple(key, fc.boolean()).map(([fileSet, isDeleted]) => (world: World) => {
    world.event({ type: "message", message: { type: "unassign", term: 1, fileSet, delete: isDeleted } });
  }),
  fc.constantFrom("1", "2", null).map((version) => (world: World) => {
    world.event({ type: "message", message: { type: "activate", term: 1, name: "a", version } });
  }),
  fc.tuple(laneId, key, fc.nat(7)).map(([id, fileSet, block]) => (world: World) => {
    const portions = [{ fileSet, order: "content" as const, ranges: [block, block + 1] }];
    const open = world.lanes.has(id) ? [] : [openLane(id, `fra-${id}`)];
    world.event({ type: "message", message: instruct({ open, transfers: [{ laneId: id, portions, ticket }] }) });
  }),
  fc.tuple(key, fc.nat(7), fc.option(laneId, { nil: undefined })).map(([fileSet, block, id]) => (world: World) => {
    world.store(fileSet, block, id);
  }),
  fc.tuple(key, fc.nat(7)).map(([fileSet, block]) => (world: World) => {
    const disk = world.disk.get(fileSet);
    if (disk?.blocks.has(block) !== true) return;
    disk.blocks.remove(block, block + 1);
    world.event({ type: "damaged", fileSet, ranges: RangeSet.of(block, block + 1) });
  }),
  fc.tuple(key, fc.nat(7)).map(([fileSet, block]) => (world: World) => {
    world.event({ type: "message", message: { type: "discard", term: 1, fileSet, block } });
  }),
  key.map((fileSet) => (world: World) => {
    const place = world.orders.findIndex((order) => order.type === "prepare" || order.type === "finish");
    const order = world.orders[place];
    if (order === undefined || !("fileSet" in order) || order.fileSet !== fileSet) return;
    world.orders.splice(place, 1);
    world.event({ type: "storeFailed", fileSet, problem: "no space left" });
  }),
  laneId.map((id) => (world: World) => {
    if (!world.lanes.delete(id)) return;
    world.event({ type: "laneFailed", laneId: id, kind: "reset", detail: "" });
  }),
  fc.nat(9).map((found) => (world: World) => world.answer(found)),
  fc.nat(9).map((found) => (world: World) => world.answer(found)),
  fc.integer({ min: 0, max: 5_000 }).map((milliseconds) => (world: World) => {
    world.now += milliseconds * 1_000_000;
    world.event({ type: "timer" });
  }),
  fc.constant((world: World) => world.connect()),
  fc.constant((world: World) => world.restart()),
  fc.constant((world: World) => world.checkHeard()),
);

it("tells the truth, and ends with everything that is wanted", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const world = new World();
      world.restart();
      for (const act of steps) {
        if (!world.isConnected) world.connect();
        act(world);
      }
      world.connect();
      for (const fileSet of keys) {
        world.event({
          type: "message",
          message: assign(fileSet, manifests.get(fileSet) ?? new Uint8Array(0), { tail: 0 }),
        });
      }
      world.event({ type: "message", message: { type: "activate", term: 1, name: "a", version: "2" } });
      for (let round = 0; round < 40; round += 1) {
        world.now += 70_000_000_000;
        world.event({ type: "timer" });
        while (world.orders.length > 0) world.answer(99);
        for (const fileSet of keys) for (let block = 0; block < 7; block += 1) world.store(fileSet, block, undefined);
      }
      assert.ok(
        world.core.view().fileSets.every((entry) => entry.status === "held"),
        JSON.stringify(world.core.view()),
      );
      assert.ok(world.core.view().fileSets.some((entry) => entry.fileSet === "a@2"));
      assert.equal(world.current.get("a"), "2");
      world.checkHeard();
    }),
    { numRuns: 300 },
  );
});
