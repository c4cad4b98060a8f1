/**
 * Keeps a ledger of its own from what the controller says and hears, and holds the controller to it: by its own
 * instructions, no resource may ever be allocated beyond its capability.
 *
 * A lane counts from when the instruction that opens it gets to its agent, and the lanes that it follows have ended, until
 * its agent ends it, hears that it is closed, or the connection to either of its ends is gone. Lanes that follow it may
 * begin as soon as its source has sent all.
 */
import type { ControllerCommand, ControllerEvent } from "../control/controller/controller-events.ts";
import type { AgentMessage } from "../protocol/agent-messages.ts";
import type { Instruct } from "../protocol/controller-messages.ts";
import type { Link } from "./flow.ts";
import { phases } from "./virtual-clock.ts";
import type { PathEnd, WorldParts } from "./world-parts.ts";

interface Charge {
  /** Id of the agent at the other end. */
  readonly holderId: string;
  readonly source: PathEnd;
  readonly target: PathEnd;
  links: readonly Link[];
  rateBitsPerSecond: number;
  /** Lanes whose place it takes: it counts from when they have ended. Added to only where there are any. */
  readonly after: Set<number>;
}

const nobody = new Set<number>();

export class LedgerChecker {
  readonly #world: WorldParts;
  /** By id of who was instructed and of the lane. */
  readonly #charges = new Map<string, Map<number, Charge>>();
  /** Charges that wait for others. */
  readonly #waiting = new Set<Charge>();
  readonly #running = new Set<number>();
  /** Running lanes through which something has come. */
  readonly #begun = new Set<number>();
  /** Lanes that ended before anything came through them: what follows them does not begin, unless a new ticket says so. */
  readonly #neverBegun = new Set<number>();
  readonly #peers = new Map<number, { readonly id: string; readonly end: PathEnd; readonly sameHost: boolean }>();
  readonly #allocated = new Map<Link, number>();
  readonly #suspects = new Set<Link>();
  readonly #reported = new Set<string>();

  constructor(world: WorldParts) {
    this.#world = world;
    world.clock.whenInstantEnds(() => {
      if (this.#suspects.size > 0) this.#check();
    });
  }

  onEvent(event: ControllerEvent): void {
    switch (event.type) {
      case "started":
        this.#charges.clear();
        this.#waiting.clear();
        this.#running.clear();
        this.#begun.clear();
        this.#peers.clear();
        this.#allocated.clear();
        break;
      case "agentMessage":
        if (event.message.type === "hello") {
          const { agentId, name, site } = event.message;
          this.#peers.set(event.connectionId, { id: agentId, end: { name, site }, sameHost: false });
        } else if (event.message.type === "state") {
          this.#releaseEnded(event.connectionId, event.message.lanes);
        }
        break;
      case "publisherMessage":
        if (event.message.type === "begin") {
          const { publishId, site, agent } = event.message;
          this.#peers.set(event.connectionId, {
            id: publishId,
            end: { name: undefined, site },
            sameHost: agent !== undefined,
          });
        } else if (event.message.type === "handedOver") {
          this.#releaseEnded(event.connectionId, event.message.lanes);
        }
        break;
      case "closed":
        this.#gone(event.connectionId);
        break;
      case "topology":
        this.#recharge();
        break;
      default:
        break;
    }
  }

  onCommand(command: ControllerCommand): void {
    if (command.type !== "sendAgent" && command.type !== "sendPublisher") return;
    const peer = this.#peers.get(command.connectionId);
    if (peer === undefined || peer.sameHost) return;
    const { type } = command.message;
    // A publish that is over drops its lanes.
    if (type === "rejected" || type === "already" || type === "committed") this.#releaseAll(peer.id);
    const { message } = command;
    if (message.type !== "instruct") return;
    const pulls = command.type === "sendAgent";
    // Their source waits for them also while words of them are on their way.
    for (const { laneId } of message.open) this.#running.add(laneId);
    const delay = pulls ? this.#world.scenario.controlDelayNanoseconds : 0;
    if (delay === 0) this.#instruct(peer, message, pulls);
    else {
      this.#world.clock.after(delay, phases.agent, () => {
        if (this.#peers.get(command.connectionId) === peer) this.#instruct(peer, message, pulls);
      });
    }
  }

  /** A lane's source has sent all of it. */
  onSent(targetId: string, laneId: number): void {
    this.#begun.add(laneId);
    this.#release(targetId, laneId);
  }

  /** What an agent says holds from when it says it, not from when the controller hears it. */
  onSaid(agentId: string, message: AgentMessage): void {
    if (message.type !== "state") return;
    for (const { laneId, ended, receivedBytes } of message.lanes) {
      if (receivedBytes > 0) this.#begun.add(laneId);
      if (ended !== undefined) this.#release(agentId, laneId);
    }
  }

  #instruct(peer: { readonly id: string; readonly end: PathEnd }, message: Instruct, pulls: boolean): void {
    if (pulls) this.#world.account.transfers += message.transfers.length;
    for (const laneId of message.close) this.#release(peer.id, laneId);
    for (const lane of message.open) {
      const agent = this.#world.running.get(lane.holderId);
      this.#release(peer.id, lane.laneId);
      // An agent that died a moment ago: the lane will fail.
      if (agent === undefined) continue;
      const other: PathEnd = { name: agent.name, site: agent.site };
      const [source, target] = pulls ? [other, peer.end] : [peer.end, other];
      const charge: Charge = {
        holderId: lane.holderId,
        source,
        target,
        links: this.#world.linksBetween(source, target),
        rateBitsPerSecond: lane.rateBitsPerSecond,
        after:
          lane.after === undefined
            ? nobody
            : new Set(lane.after.filter((laneId) => this.#running.has(laneId) || this.#neverBegun.has(laneId))),
      };
      let charges = this.#charges.get(peer.id);
      if (charges === undefined) {
        charges = new Map();
        this.#charges.set(peer.id, charges);
      }
      charges.set(lane.laneId, charge);
      if (charge.after.size > 0) this.#waiting.add(charge);
      else this.#add(charge, charge.rateBitsPerSecond);
    }
    for (const { laneId, rateBitsPerSecond } of message.rates) {
      const charge = this.#charges.get(peer.id)?.get(laneId);
      if (charge === undefined) continue;
      const more = rateBitsPerSecond - charge.rateBitsPerSecond;
      charge.rateBitsPerSecond = rateBitsPerSecond;
      if (charge.after.size === 0) this.#add(charge, more);
      // A new ticket does not name those of which the source never heard.
      for (const other of charge.after) if (!this.#running.has(other)) this.#follow(charge, other, []);
    }
  }

  #add(charge: Charge, bitsPerSecond: number): void {
    for (const link of charge.links) {
      const allocated = (this.#allocated.get(link) ?? 0) + bitsPerSecond;
      this.#allocated.set(link, allocated);
      if (bitsPerSecond > 0 && allocated > link.capabilityBitsPerSecond) this.#suspects.add(link);
    }
  }

  /** Instructions of one instant are looked at together: what some close makes room for what others open. */
  #check(): void {
    const now = this.#world.clock.nowNanoseconds;
    for (const link of this.#suspects) {
      const allocated = this.#allocated.get(link) ?? 0;
      if (allocated <= link.capabilityBitsPerSecond || this.#reported.has(link.name)) continue;
      if (now < link.toleratedUntilNanoseconds) continue;
      this.#reported.add(link.name);
      this.#world.account.violation(
        `the controller has allocated ${String(allocated)} bits per second of ${link.name}, which can carry ${String(link.capabilityBitsPerSecond)}, at ${String(now)} ns`,
      );
    }
    this.#suspects.clear();
  }

  #releaseEnded(connectionId: number, lanes: readonly { readonly laneId: number; readonly ended?: unknown }[]): void {
    const peer = this.#peers.get(connectionId);
    if (peer === undefined) return;
    for (const { laneId, ended } of lanes) if (ended !== undefined) this.#release(peer.id, laneId);
  }

  #release(pullerId: string, laneId: number): void {
    const charges = this.#charges.get(pullerId);
    const charge = charges?.get(laneId);
    if (charge === undefined) return;
    charges?.delete(laneId);
    this.#running.delete(laneId);
    if (charge.after.size === 0) this.#add(charge, -charge.rateBitsPerSecond);
    this.#waiting.delete(charge);
    // Where nothing has come through it, the source need not know that it is over, and lets those behind it wait.
    if (!this.#begun.delete(laneId)) {
      this.#neverBegun.add(laneId);
      return;
    }
    for (const waiting of this.#waiting) if (waiting.after.has(laneId)) this.#follow(waiting, laneId, charge.after);
  }

  /** A lane waits for another no longer, but for those before that one whose turn has not come. */
  #follow(waiting: Charge, laneId: number, before: Iterable<number>): void {
    waiting.after.delete(laneId);
    for (const other of before) waiting.after.add(other);
    if (waiting.after.size > 0) return;
    this.#waiting.delete(waiting);
    this.#add(waiting, waiting.rateBitsPerSecond);
  }

  #gone(connectionId: number): void {
    const peer = this.#peers.get(connectionId);
    this.#peers.delete(connectionId);
    if (peer === undefined || [...this.#peers.values()].some(({ id }) => id === peer.id)) return;
    this.#releaseAll(peer.id);
  }

  #releaseAll(id: string): void {
    for (const [pullerId, charges] of this.#charges) {
      for (const [laneId, { holderId }] of charges) {
        if (pullerId === id || holderId === id) this.#release(pullerId, laneId);
      }
    }
  }

  /** Paths and capabilities are others now. */
  #recharge(): void {
    this.#allocated.clear();
    for (const charges of this.#charges.values()) {
      for (const charge of charges.values()) {
        charge.links = this.#world.linksBetween(charge.source, charge.target);
        if (charge.after.size > 0) continue;
        for (const link of charge.links) {
          this.#allocated.set(link, (this.#allocated.get(link) ?? 0) + charge.rateBitsPerSecond);
        }
      }
    }
  }
}
