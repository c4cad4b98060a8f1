/** What a tool is to a race, and what it is given and gives back. */
import type { Lab } from "../network/lab.ts";
import type { Payload } from "../race/payload.ts";
import type { Race } from "../race/race.ts";
import type { LabPrograms } from "./lab-programs.ts";

export interface RaceTool {
  readonly name: string;
  /** What is not installed, and how to get it; undefined: all there. */
  missing(): string | undefined;
  /** Why it cannot run this race at all; undefined: it can. */
  unfit(race: Race): string | undefined;
  /** Distributes the payloads. @throws UserError when it does not get to the end */
  run(setting: ToolSetting): Promise<ToolRun>;
}

export interface ToolSetting {
  readonly race: Race;
  readonly lab: Lab;
  /** In the order of the race's file sets. */
  readonly payloads: readonly Payload[];
  /** Empty, for whatever the tool keeps; the same disk for every tool. */
  readonly directory: string;
  readonly programs: LabPrograms;
  /** Where our programs write profiles of their processor time when they end; undefined: they make none. */
  readonly profileDirectory?: string | undefined;
  /** From the clock's start until it is given up. */
  readonly timeoutMilliseconds: number;
  readonly signal: AbortSignal;
}

export interface Completion {
  /** Its place in the race. */
  readonly fileSet: number;
  readonly host: string;
  /** Milliseconds since 1970. */
  readonly atMilliseconds: number;
  /** Where its copy stands. */
  readonly copy: string;
}

/** A resource was given another rate while the race ran. */
export interface CapabilityChange {
  readonly resource: string;
  readonly atMilliseconds: number;
  readonly bitsPerSecond: number;
}

export interface ToolRun {
  /** When everything ran and the payload's checksums were made: milliseconds since 1970. */
  readonly startedAtMilliseconds: number;
  readonly completions: readonly Completion[];
  readonly changes: readonly CapabilityChange[];
}
