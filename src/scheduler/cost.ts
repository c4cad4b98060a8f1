/**
 * The cost function (claim 30): scores a possible transfer; the best one that the ledger admits is scheduled. One line of
 * reason for each term. Scores are integers, so that equal inputs compare equal on every machine.
 *
 * What may be compared at all is narrowed before: over ways between sites only what a site lacks (`remote-pass.ts`),
 * within a site anything (`local-pass.ts`).
 */

/** What is known of a transfer that could be scheduled. */
export interface TransferCandidate {
  /** The rate that the ledger would admit, as parts of 1,000 of the most that its path could carry. */
  readonly ratePerMille: number;
  /** Copies of the block: within the target's site, or (between sites) sites that have it. */
  readonly copies: number;
  /** No counted agent holds the block or is being sent it. */
  readonly fresh: boolean;
  /** The source is an origin: an agent through which the file set came in. */
  readonly origin: boolean;
  /** Lanes that the source serves now. */
  readonly lanesOut: number;
  /** What other sites depend on the source's site for: 1,000 for each that nobody else can serve. */
  readonly dependence: number;
  /** The target has been slower than what it declares. */
  readonly slowTarget: boolean;
  /** The source has been slower than what it declares. */
  readonly slowSource: boolean;
  /** The operator wants the source spared (drained): only what nobody else holds. */
  readonly lastResort: boolean;
  readonly recentFailures: number;
}

export interface CostWeights {
  readonly rate: number;
  readonly rarity: number;
  readonly fresh: number;
  readonly busy: number;
  readonly dependence: number;
  readonly origin: number;
  readonly slowTarget: number;
  readonly slowSource: number;
  readonly failure: number;
  readonly lastResort: number;
}

export const defaultCostWeights: CostWeights = {
  rate: 10, // a fast transfer frees its ends sooner, and leaves no slivers of bandwidth that nobody can use
  rarity: 20, // the rarest block first: what few have is what everybody will soon wait for
  fresh: 1_000, // a first copy outside the origin makes a new source; a second copy of an old block does not
  busy: 100, // each lane more on a source delays its blocks to others
  dependence: 1, // a site that others have no substitute for is left to them
  origin: 400, // an origin's bandwidth is for blocks that nobody else has
  slowTarget: 3_000, // a block that few have must not wait behind a slow interface
  slowSource: 5_000, // a slow source holds its target up for many block times: the last to be asked
  failure: 7_000, // never a source that has been failing while another will do
  lastResort: 100_000, // a drained agent serves only what no other holds
};

/** The score of a candidate: higher is better. */
export function scoreTransfer(candidate: TransferCandidate, weights: CostWeights): number {
  let score = weights.rate * candidate.ratePerMille;
  score -= weights.rarity * candidate.copies;
  if (candidate.fresh) score += weights.fresh;
  if (candidate.origin && !candidate.fresh) score -= weights.origin;
  score -= weights.busy * candidate.lanesOut;
  score -= weights.dependence * candidate.dependence;
  if (candidate.slowTarget && candidate.fresh) score -= weights.slowTarget;
  if (candidate.slowSource) score -= weights.slowSource;
  score -= weights.failure * candidate.recentFailures;
  if (candidate.lastResort) score -= weights.lastResort;
  return score;
}
