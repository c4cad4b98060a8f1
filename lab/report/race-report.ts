/** What a race gives: the figures of each run of each tool. This is the JSON that is written. */

export interface LinkFigures {
  readonly resource: string;
  /** At the clock's start; null: not limited. */
  readonly declaredBitsPerSecond: number | null;
  /** The highest rate on the wire of any second. */
  readonly peakSecondBitsPerSecond: number;
  /** The most bytes that any second had beyond what was declared. */
  readonly beyondDeclaredBytes: number;
  /** Bytes less 66 for each packet. */
  readonly payloadBytes: number;
  /** The rate on the wire in each second from the clock's start on. */
  readonly bitsPerSecondBySecond: readonly number[];
  /** A competing flow uses it too, and is in all of these numbers. */
  readonly isShared: boolean;
}

export interface RunFigures {
  readonly makespanSeconds: number;
  /** Makespan over the bound; null: nothing limits this race. */
  readonly ratio: number | null;
  readonly medianCompletionSeconds: number;
  readonly lastCompletionSeconds: number;
  /** Payload bytes out of all site uplinks over the payload's size; null: there is one site only. */
  readonly uplinkCopies: number | null;
  readonly uplinkCopiesBySite: Readonly<Record<string, number>>;
  /** The worst second of any link that no competing flow uses. */
  readonly beyondDeclaredBytes: number;
  readonly links: readonly LinkFigures[];
  /** Average rate on the wire of the sources' sites, until they had sent one copy of their payload; null: one site. */
  readonly sourceUplinksBitsPerSecond: Readonly<Record<string, number>> | null;
  /** From the clock's start; programs under test only. */
  readonly cpuSeconds: number;
  readonly cpuSecondsPerGigabyteDelivered: number;
  /** The most that any program had resident. */
  readonly peakMemoryBytes: number;
  readonly deliveredBytesPerSecond: number;
  /** What the flows of others got meanwhile, on the wire. */
  readonly competingBitsPerSecond: readonly number[];
  /** What is left for the tool of the link out of the first such flow's site; null: there is no such flow. */
  readonly besideCompetingBitsPerSecond: number | null;
  /** Of file sets that grow: from their last byte to the last host that had it; null: none grows. */
  readonly afterProductionSeconds: number | null;
  readonly completions: readonly { readonly fileSet: string; readonly host: string; readonly seconds: number }[];
}

export interface FailedRun {
  readonly error: string;
}

export interface ToolReport {
  readonly tool: string;
  readonly runs: readonly (RunFigures | FailedRun)[];
}

export interface RaceReport {
  readonly race: string;
  readonly startedAt: string;
  readonly machine: string;
  readonly boundSeconds: number | null;
  readonly boundKind: string;
  /** The same for what the controller is told, where that is something else. */
  readonly declaredBoundSeconds: number | null;
  readonly payloadBytes: number;
  readonly hosts: number;
  readonly tools: readonly ToolReport[];
  readonly leftOut: readonly { readonly tool: string; readonly why: string }[];
}

export function hasFailed(run: RunFigures | FailedRun): run is FailedRun {
  return "error" in run;
}

/** The runs of a tool that came to their end. */
export function finishedRuns({ runs }: ToolReport): RunFigures[] {
  return runs.filter((run): run is RunFigures => !hasFailed(run));
}

/** The middle one (of an even count, the mean of the two in the middle); NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1
    ? (sorted[Math.floor(middle)] ?? Number.NaN)
    : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}
