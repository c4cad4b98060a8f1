/**
 * Runs one agent's production state machine in the virtual world: keeps its document before its commands are carried out,
 * holds its control channel, and serves blocks from its disk to whoever shows a ticket that the machine accepts.
 */
import { AgentCore } from "../control/agent/agent-core.ts";
import type { AgentEvent } from "../control/agent/agent-events.ts";
import type { AgentMessage } from "../protocol/agent-messages.ts";
import type { ControllerMessage } from "../protocol/controller-messages.ts";
import type { BlockOrderName } from "../protocol/parts.ts";
import { pieceCount, pieceRange } from "../model/manifest-root.ts";
import type { RangeSet } from "../std/ranges.ts";
import type { SeededRandom } from "../std/seeded-random.ts";
import { nanosecondsPerMillisecond, nanosecondsPerSecond } from "../std/units.ts";
import { carryOut } from "./agent-commands.ts";
import { AgentLanes } from "./agent-lanes.ts";
import { fakeHash } from "./fake-hash.ts";
import type { FlowBlock } from "./flow.ts";
import type { ScenarioAgent } from "./scenario.ts";
import { VirtualChannel } from "./virtual-channel.ts";
import { phases } from "./virtual-clock.ts";
import type { VirtualDisk } from "./virtual-disk.ts";
import { newTurns, type LaneSource, type VirtualLane } from "./virtual-lane.ts";
import type { WorldParts } from "./world-parts.ts";

/** Pauses before dialling the controller again: the first, the second, and the longest; each further one is doubled. */
const firstPauseNanoseconds = 200 * nanosecondsPerMillisecond;
const secondPauseNanoseconds = nanosecondsPerSecond;
const longestPauseNanoseconds = 30 * nanosecondsPerSecond;

/** A block that came in and was found right. */
export interface Arrival {
  readonly fileSet: string;
  readonly order: BlockOrderName;
  readonly block: number;
  readonly lengthBytes: number;
  /** Undefined: a publisher handed it over. */
  readonly laneId: number | undefined;
}

export class VirtualAgent implements LaneSource {
  readonly world: WorldParts;
  readonly spec: ScenarioAgent;
  readonly name: string;
  readonly site: string;
  disk: VirtualDisk;
  readonly servedLanes = new Set<VirtualLane>();
  turns = newTurns();
  /** Serves wrong bytes. */
  corrupt = false;
  readonly #random: SeededRandom;
  readonly #queue: AgentEvent[] = [];
  #isHandling = false;
  #core: AgentCore | undefined;
  #lanes: AgentLanes | undefined;
  #channel: VirtualChannel<AgentMessage, ControllerMessage> | undefined;
  #attempts = 0;
  #wakeAt: number | undefined;
  #timerAt: number | undefined;
  /** Until when it is busy verifying. */
  #verifiesUntil = 0;

  constructor(world: WorldParts, spec: ScenarioAgent, disk: VirtualDisk, random: SeededRandom) {
    this.world = world;
    this.spec = spec;
    this.name = spec.name;
    this.site = spec.site;
    this.disk = disk;
    this.#random = random;
  }

  /** Its state machine; undefined while it is stopped. */
  get core(): AgentCore | undefined {
    return this.#core;
  }

  get lanes(): AgentLanes {
    if (this.#lanes === undefined) throw new Error(`${this.name} does not run`);
    return this.#lanes;
  }

  start(): void {
    if (this.#core !== undefined) return;
    const { sharedManifests, running } = this.world;
    this.#core = new AgentCore({
      identity: {
        agentId: this.disk.agentId,
        name: this.name,
        site: this.site,
        labels: this.spec.labels,
        address: `${this.name}.invalid:1`,
        programVersion: "0",
      },
      ports: { hash: fakeHash, sharedManifests, tickets: this.world.ticketCodec },
    });
    this.#lanes = new AgentLanes(this);
    this.#attempts = 0;
    running.set(this.disk.agentId, this);
    const current = [...this.disk.current].map(([name, version]) => ({ name, version }));
    this.post({ type: "started", document: this.disk.document, stored: this.disk.restart(), current });
    this.#dial();
  }

  /** Kills it: what it was receiving is lost, those who were receiving from it find the connection broken. */
  stop(): void {
    if (this.#core === undefined) return;
    this.#core = undefined;
    this.#queue.length = 0;
    this.#wakeAt = undefined;
    this.world.running.delete(this.disk.agentId);
    this.#lanes?.stop();
    this.#lanes = undefined;
    this.#channel?.close();
    this.#channel = undefined;
    for (const lane of [...this.servedLanes]) lane.fail("reset", `${this.name} is gone`);
    this.turns = newTurns();
  }

  /** Kills it, and its disk is lost: it will start again as a new agent of the same name. */
  lose(disk: VirtualDisk): void {
    this.stop();
    this.disk = disk;
  }

  /** Cuts its control channel, as a broken network does. */
  cutChannel(): void {
    if (this.#channel?.isOpen !== true) return;
    this.#channel.close();
    this.#lostChannel();
  }

  /** Gives the state machine an event, behind those that it has yet to handle. */
  post(event: AgentEvent): void {
    if (this.#core === undefined) return;
    this.#queue.push(event);
    if (this.#isHandling) return;
    this.#isHandling = true;
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) this.#handle(next);
    this.#isHandling = false;
  }

  #handle(event: AgentEvent): void {
    const core = this.#core;
    if (core === undefined) return;
    const output = core.handle(event, this.world.clock.nowNanoseconds);
    if (output.document !== undefined) this.disk.document = output.document;
    for (const command of output.commands) carryOut(this, command);
    this.#wakeAt = output.wakeAtNanoseconds;
    this.#setTimer();
    if (event.type === "message" && event.message.type === "assign") this.#givePieces(event.message.fileSet);
    if (mayEndComing(event)) this.#lookAgain();
  }

  /** An origin has the manifest beside the data. */
  #givePieces(fileSet: string): void {
    const content = this.world.contents.get(fileSet);
    const summary = this.#core?.manifestSummary(fileSet);
    if (content === undefined || summary === undefined || !this.disk.producesAll(fileSet)) return;
    for (let piece = 0; piece < pieceCount(summary); piece += 1) {
      const { start, end } = pieceRange(summary, piece);
      if (this.disk.manifestBytes(fileSet) >= end) continue;
      const bytes = content.manifestLog.subarray(start, end);
      this.disk.storePiece(fileSet, piece, bytes.length === summary.pieceBytes);
      this.post({ type: "stored", fileSet, order: "manifest", start: piece, end: piece + 1, laneId: undefined, bytes });
    }
  }

  /** Whether it was told of the file set and of this block or piece, so that it can verify and keep it. */
  knows(fileSet: string, order: BlockOrderName, block: number): boolean {
    const summary = this.#core?.manifestSummary(fileSet);
    if (order === "manifest") return summary !== undefined && block < pieceCount(summary);
    return block < (this.#core?.manifest(fileSet)?.blockCount ?? 0) && this.disk.held(fileSet) !== undefined;
  }

  /** Writes a verified block or piece, and tells the machine. */
  keep(arrival: Arrival): void {
    const { account, contents } = this.world;
    const { fileSet, order, block, lengthBytes, laneId } = arrival;
    const stored = { type: "stored", fileSet, order, start: block, end: block + 1, laneId } as const;
    if (order === "content") {
      const added = this.disk.store(fileSet, block);
      account.settle(order, lengthBytes, added === undefined || added === 0 ? "repeatedBytes" : "storedBytes");
      if (added === undefined) return;
      this.world.progressed();
      this.post(stored);
      // Later blocks that are equal to this one are filled from it: any of them may be waited for.
      if (added > 1) this.#lookAgain();
    } else {
      const summary = this.#core?.manifestSummary(fileSet);
      const log = contents.get(fileSet)?.manifestLog;
      account.settle(order, lengthBytes, summary === undefined ? "repeatedBytes" : "storedBytes");
      if (summary === undefined || log === undefined) return;
      const start = block * summary.pieceBytes;
      this.disk.storePiece(fileSet, block, lengthBytes === summary.pieceBytes);
      this.world.progressed();
      this.post({ ...stored, bytes: log.subarray(start, start + lengthBytes) });
      // Pieces are served as far as those before them are there: later ones may be waited for.
      this.#lookAgain();
    }
    this.wake(fileSet, order, block, block + 1);
  }

  send(message: AgentMessage): void {
    this.world.inspectAgentMessage?.(this.name, message);
    this.world.agentSaid(this.disk.agentId, message);
    this.#channel?.send(message);
  }

  /** Ends the control channel because the machine says so. */
  disconnect(retry: boolean, reason: string): void {
    this.#channel?.close();
    this.#channel = undefined;
    if (retry) this.#lostChannel();
    else {
      this.world.account.violation(`${this.name} gave up: ${reason}`);
      this.world.clock.after(0, phases.agent, () => this.stop());
    }
  }

  #dial(): void {
    const core = this.#core;
    const { clock, scenario, controller } = this.world;
    if (core === undefined) return;
    this.#channel = new VirtualChannel<AgentMessage, ControllerMessage>(
      clock,
      scenario.controlDelayNanoseconds,
      {
        opened: () => {
          this.#attempts = 0;
          this.post({ type: "connected" });
        },
        message: (message) => {
          this.world.inspectControllerMessage?.(this.name, message);
          this.post({ type: "message", message });
        },
        closed: () => this.#lostChannel(),
      },
      controller.agents,
    );
  }

  #lostChannel(): void {
    const core = this.#core;
    this.post({ type: "disconnected" });
    const plain =
      this.#attempts === 0
        ? firstPauseNanoseconds
        : Math.min(longestPauseNanoseconds, secondPauseNanoseconds * 2 ** Math.min(this.#attempts - 1, 30));
    this.#attempts += 1;
    this.world.clock.after(Math.round(plain * (0.5 + this.#random.nextUnit())), phases.agent, () => {
      if (this.#core === core) this.#dial();
    });
  }

  /** How long it takes from now until a block that has just arrived is verified; one is verified after the other. */
  verificationNanoseconds(lengthBytes: number): number {
    const rate = this.world.scenario.verificationBitsPerSecond;
    if (rate === undefined) return 0;
    const now = this.world.clock.nowNanoseconds;
    this.#verifiesUntil = Math.max(now, this.#verifiesUntil) + Math.ceil((lengthBytes * 8e9) / rate);
    return this.#verifiesUntil - now;
  }

  isCorrupt(): boolean {
    return this.corrupt;
  }

  holding(lane: VirtualLane, { fileSet, order, block }: FlowBlock): "held" | "coming" | "absent" {
    const holding = this.#core?.holding(fileSet, order, block) ?? "absent";
    if (holding !== "held") return holding;
    const { pieceBytes } = this.#core?.manifestSummary(fileSet) ?? { pieceBytes: 0 };
    const end = order === "content" ? 0 : block * pieceBytes + lane.sink.blockLengthBytes(fileSet, order, block);
    if (this.disk.has(fileSet, order, block, end)) return "held";
    // The last piece may have grown since it came here: what the other needs of it is yet to come.
    if (order === "manifest") return "coming";
    this.world.account.violation(`${this.name} serves block ${String(block)} of ${fileSet}, which it does not hold`);
    return "held";
  }

  /** Blocks that others wait for may have come. */
  wake(fileSet: string, order: BlockOrderName, start: number, end: number): void {
    for (const { flow } of this.servedLanes) {
      if (flow !== undefined && flow.waiting.size > 0) this.world.network.arrived(flow, fileSet, order, start, end);
    }
  }

  /** Blocks that others wait for may be here, or come no more. */
  #lookAgain(): void {
    for (const lane of [...this.servedLanes]) lane.lookAgain();
  }

  /** Stored blocks that were damaged, as a failing disk or a meddling user does it. */
  damage(fileSet: string, blocks: RangeSet): void {
    this.disk.discard(fileSet, blocks);
    this.world.incompleted(this, fileSet);
    this.post({ type: "damaged", fileSet, ranges: blocks });
  }

  #setTimer(): void {
    const { clock } = this.world;
    if (this.#wakeAt === undefined || (this.#timerAt !== undefined && this.#timerAt <= this.#wakeAt)) return;
    const at = Math.max(this.#wakeAt, clock.nowNanoseconds);
    this.#timerAt = at;
    clock.at(at, phases.agent, () => {
      if (this.#timerAt !== at) return;
      this.#timerAt = undefined;
      if (this.#wakeAt !== undefined && this.#wakeAt <= clock.nowNanoseconds) this.post({ type: "timer" });
      else this.#setTimer();
    });
  }
}

/** Whether what is coming to an agent may, after this, come no more. */
function mayEndComing(event: AgentEvent): boolean {
  if (event.type === "laneFailed" || event.type === "damaged" || event.type === "deleted") return true;
  if (event.type !== "message") return false;
  const { message } = event;
  return (
    message.type === "unassign" ||
    message.type === "discard" ||
    (message.type === "instruct" && message.close.length > 0)
  );
}
