/** One decision, as the trace shows it: what was chosen, why, and what lost. */
export interface DecisionRecord {
  readonly atNanoseconds: number;
  /** Which mode of scheduling decided. */
  readonly mode: string;
  readonly reason: string;
  readonly fileSet: string;
  /** Names of the two ends. */
  readonly source: string;
  readonly target: string;
  /** Blocks of the file set's order: start, end, start, end ... */
  readonly blocks: readonly number[];
  readonly rateBitsPerSecond: number;
  readonly score: number;
  readonly runnersUp: readonly { readonly source: string; readonly target: string; readonly score: number }[];
}
