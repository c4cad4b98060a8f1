/**
 * The cost function (claim 30): scores a possible lane; the best score is scheduled. One line of reason for each term.
 * Scores are integers, so that equal inputs compare equal on every machine.
 */

/** What is known of a source that could serve a target. */
export interface LaneCandidate {
  /** The rate that the ledger would admit, as parts of 1,000 of the most that the target could take. */
  readonly ratePerMille: number;
  /** It offers blocks that no other agent holds or is being sent. */
  readonly fresh: boolean;
  /** It offers blocks that it holds already (not only such as are still coming to it). */
  readonly holdsSome: boolean;
  readonly sameSite: boolean;
  /** Lanes that it serves now. */
  readonly lanesOut: number;
  /** It is an origin: an agent or publisher through which the file set came in. */
  readonly origin: boolean;
  /** The operator wants it spared (drained): only what nobody else holds. */
  readonly lastResort: boolean;
  readonly recentFailures: number;
}

export interface CostWeights {
  readonly rate: number;
  readonly fresh: number;
  readonly holds: number;
  readonly near: number;
  readonly busy: number;
  readonly origin: number;
  readonly failure: number;
  readonly lastResort: number;
}

export const defaultCostWeights: CostWeights = {
  rate: 1, // a fast lane frees its target and its path sooner
  fresh: 1_000, // a first copy outside the origin makes a new source; a second copy of an old block does not
  holds: 300, // what is held flows at once, what is coming flows at the pace of another lane
  near: 600, // within a site only NICs are used; ways between sites are scarce
  busy: 100, // each lane more on a source halves nobody's rate but delays its blocks to others
  origin: 400, // an origin's bandwidth is for blocks that nobody else has
  failure: 700, // never a source that has been failing while another will do
  lastResort: 10_000, // a drained agent serves only what no other holds
};

/** The score of a candidate: higher is better. */
export function scoreLane(candidate: LaneCandidate, weights: CostWeights): number {
  let score = weights.rate * candidate.ratePerMille;
  if (candidate.fresh) score += weights.fresh;
  if (candidate.holdsSome) score += weights.holds;
  if (candidate.sameSite) score += weights.near;
  score -= weights.busy * candidate.lanesOut;
  if (candidate.origin && !candidate.fresh) score -= weights.origin;
  score -= weights.failure * candidate.recentFailures;
  if (candidate.lastResort) score -= weights.lastResort;
  return score;
}
