/**
 * What the parts of the agent's state machine share while one event is handled: who the agent is, the time, the
 * settings, and the output that is being gathered. Nothing here waits or decides.
 */
import type { Hash } from "../../model/checksum.ts";
import type { Manifest } from "../../model/manifest.ts";
import type { TicketCodec } from "../../protocol/ticket.ts";
import type { FileSetKey } from "../../protocol/parts.ts";
import type { AgentCommand } from "./agent-events.ts";
import { defaultAgentSettings } from "./limits.ts";

/** Who this agent is; all of it goes into the hello. */
export interface AgentCoreIdentity {
  /** 32 hex digits, made at the first start. */
  readonly agentId: string;
  readonly name: string;
  readonly site: string;
  readonly labels: Readonly<Record<string, string>>;
  /** HOST:PORT at which other agents reach it. */
  readonly address: string;
  readonly programVersion: string;
}

/** What the agent's thinking needs from outside beside events. */
export interface AgentCorePorts {
  readonly hash: Hash;
  /**
   * Complete manifests by their root, shared by many agents of one process (the simulator), so that each is decoded and
   * kept once. Left out: each agent keeps its own.
   */
  readonly sharedManifests?: Map<string, Manifest>;
  /** Left out: tickets as they go over a network. */
  readonly tickets?: TicketCodec;
}

/** What the controller's welcome sets. */
export interface AgentSettings {
  readonly heartbeatNanoseconds: number;
  readonly reportNanoseconds: number;
  readonly stallNanoseconds: number;
  readonly keepVersions: number;
}

export class AgentContext {
  readonly identity: AgentCoreIdentity;
  readonly ports: AgentCorePorts;
  settings: AgentSettings = defaultAgentSettings;
  nowNanoseconds = 0;
  /** Whether something that must outlive a restart has changed in this step. */
  documentChanged = false;
  #commands: AgentCommand[] = [];

  constructor(identity: AgentCoreIdentity, ports: AgentCorePorts) {
    this.identity = identity;
    this.ports = ports;
  }

  order(command: AgentCommand): void {
    this.#commands.push(command);
  }

  /** @param fileSet the one that the line is about */
  note(level: "info" | "warn" | "error", text: string, fileSet?: FileSetKey): void {
    this.#commands.push({ type: "note", level, text, ...(fileSet === undefined ? {} : { fileSet }) });
  }

  /** The commands since the last take. */
  takeCommands(): AgentCommand[] {
    const commands = this.#commands;
    this.#commands = [];
    return commands;
  }
}
