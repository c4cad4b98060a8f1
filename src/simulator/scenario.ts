/**
 * What a simulation is given: who there is, what is published when, and what goes wrong. Everything is worked out: names,
 * bits per second, bytes and nanoseconds. scenario-parser.ts says how a scenario is written down.
 */
import type { CostWeights } from "../scheduler/cost.ts";
import type { Selector } from "../model/selector.ts";
import type { NicCapability, Topology } from "../model/topology.ts";

export interface ScenarioAgent {
  readonly name: string;
  readonly site: string;
  readonly labels: Readonly<Record<string, string>>;
  /** What its group says of its interface. */
  readonly nic: NicCapability;
  /** What its interface really does, as a part of what is declared: above 0, at most 1. */
  readonly trueRate: number;
}

/** Agents that hold blocks when the file set is published: each of them, by itself, floor(portion x blocks), drawn by the seed. */
export interface ScenarioHolders {
  readonly selector: Selector;
  readonly portion: number;
}

export interface ScenarioFileSet {
  readonly name: string;
  readonly version: string;
  /** Files of equal size; the first (totalBytes mod fileCount) are one byte longer. */
  readonly fileCount: number;
  readonly totalBytes: number;
  readonly blockBytes: number;
  /** Agents that hold everything at the start, or produce it where it grows. At least one. */
  readonly origins: readonly string[];
  /** Text of the selector of targets. */
  readonly targets: string;
  readonly atNanoseconds: number;
  /** Higher goes first. */
  readonly priority: number;
  readonly holders: readonly ScenarioHolders[];
  /** Produced at this rate from `atNanoseconds` on. */
  readonly growthBitsPerSecond?: number | undefined;
  /** Not in the grammar: only so many blocks differ, the others repeat them. */
  readonly distinctBlocks?: number | undefined;
  /** Not in the grammar: file sets with the same text here have the same blocks, so that one can be copied from another. */
  readonly content?: string | undefined;
  /** Not in the grammar: no agent is named, and the publisher hands every block over through lanes, from this site (or none). */
  readonly handOver?: { readonly site: string | undefined } | undefined;
}

export type ScenarioEvent =
  /** Killed; `controller` may be, too. */
  | { readonly type: "stop"; readonly atNanoseconds: number; readonly name: string }
  /** Started again with what it had verified. */
  | { readonly type: "start"; readonly atNanoseconds: number; readonly name: string }
  /** Killed and its disk lost. */
  | { readonly type: "lose"; readonly atNanoseconds: number; readonly name: string }
  /** From now on it serves wrong bytes. */
  | { readonly type: "corrupt"; readonly atNanoseconds: number; readonly name: string }
  /** The link and its declared capability. */
  | { readonly type: "set"; readonly atNanoseconds: number; readonly resource: string; readonly bitsPerSecond: number };

export interface Scenario {
  readonly topology: Topology;
  readonly agents: readonly ScenarioAgent[];
  readonly fileSets: readonly ScenarioFileSet[];
  /** One way, controller to agent and back. */
  readonly controlDelayNanoseconds: number;
  /** One way, between sites. */
  readonly dataDelayNanoseconds: number;
  /** How fast an agent verifies; undefined: it takes no time. */
  readonly verificationBitsPerSecond: number | undefined;
  /** Weights of the cost function that differ from their defaults. */
  readonly weights?: Partial<CostWeights> | undefined;
  /** Whether agents that do not want a file set may carry it. */
  readonly relays: "targets" | "all";
  readonly events: readonly ScenarioEvent[];
  /** Durations vary by up to this part, 0..1. */
  readonly jitter: number;
  readonly seed: number;
}

/** The name that events know the controller by. */
export const controllerName = "controller";
