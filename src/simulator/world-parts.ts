/** What the parts of the simulated world share. */
import type { TicketCodec } from "../protocol/ticket.ts";
import type { AgentMessage } from "../protocol/agent-messages.ts";
import type { ControllerMessage } from "../protocol/controller-messages.ts";
import type { Manifest } from "../model/manifest.ts";
import type { Account } from "./account.ts";
import type { Link } from "./flow.ts";
import type { Scenario } from "./scenario.ts";
import type { TicketWatch } from "./ticket-watch.ts";
import type { VirtualAgent } from "./virtual-agent.ts";
import type { VirtualClock } from "./virtual-clock.ts";
import type { VirtualContent } from "./virtual-content.ts";
import type { VirtualController } from "./virtual-controller.ts";
import type { VirtualNetwork } from "./virtual-network.ts";

/** An end of a path. Without a name it has no interface of its own, without a site it is nowhere in particular. */
export interface PathEnd {
  readonly name: string | undefined;
  readonly site: string | undefined;
}

export interface WorldParts {
  readonly scenario: Scenario;
  readonly clock: VirtualClock;
  readonly network: VirtualNetwork;
  readonly tickets: TicketWatch;
  readonly ticketCodec: TicketCodec;
  readonly account: Account;
  readonly contents: ReadonlyMap<string, VirtualContent>;
  readonly controller: VirtualController;
  /** Whole manifests by root, decoded once for all agents. */
  readonly sharedManifests: Map<string, Manifest>;
  /** Agents that run, by id. */
  readonly running: Map<string, VirtualAgent>;
  /** Every message that an agent sends goes by here first. */
  agentSaid(agentId: string, message: AgentMessage): void;
  readonly inspectAgentMessage: ((agent: string, message: AgentMessage) => void) | undefined;
  readonly inspectControllerMessage: ((agent: string, message: ControllerMessage) => void) | undefined;
  /** What agents and the controller want an operator to read. */
  readonly noted: ((who: string, level: string, text: string) => void) | undefined;
  /** A lane's source has sent all that it was asked for, or it is over: its links carry nothing more of it. */
  laneSent(sink: string, laneId: number): void;
  linksBetween(source: PathEnd, target: PathEnd): readonly Link[];
  /** One way, between two sites. */
  delayBetween(source: string | undefined, target: string | undefined): number;
  /** Something has come closer to its end. */
  progressed(): void;
  /** An agent has all of a file set, verified. */
  completed(agent: VirtualAgent, fileSet: string): void;
  /** An agent that was complete is not any more. */
  incompleted(agent: VirtualAgent, fileSet: string): void;
}
