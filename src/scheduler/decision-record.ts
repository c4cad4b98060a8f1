/**
 * One decision of the scheduler as a trace shows it: what was decided, in which mode, why, and what else there was to choose
 * from. It is plain data with nothing of the clock or the machine in it, so that two runs of one simulation write the same.
 */

/** A source that could have been taken instead. */
export interface RunnerUp {
  readonly source: string;
  readonly target: string;
  readonly score: number;
}

export interface DecisionRecord {
  /** The controller's time; in a simulation, since the scenario's time 0. */
  readonly atNanoseconds: number;
  readonly mode: string;
  /** A few words: why these blocks, and why now. */
  readonly reason: string;
  /** `NAME@VERSION`, with ` manifest` behind it where its manifest is what is brought. */
  readonly fileSet: string;
  /** Names of agents, or of a publisher that hands blocks over. */
  readonly source: string;
  readonly target: string;
  /** The ranges that were queued: start and end (not included) of each in turn. */
  readonly blocks: readonly number[];
  /** The lane's rate. */
  readonly rateBitsPerSecond: number;
  /** What the cost function made of it: the highest wins. */
  readonly score: number;
  /** The next best, best first: not more than `maximumRunnersUp`. */
  readonly runnersUp: readonly RunnerUp[];
}

/** Takes each decision as it is taken. */
export type OnDecision = (record: DecisionRecord) => void;

/** Runners-up that a record names. */
export const maximumRunnersUp = 4;
