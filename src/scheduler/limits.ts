/** The numbers that scheduling goes by, each with its default and why. */

/** The rate of a lane none of whose resources has a stated capability: in effect, unpaced. */
export const unlimitedBitsPerSecond = 1_000_000_000_000;

/** The most ranges of one portion: a ticket, and a request to the source, must hold them. */
export const maximumPortionRanges = 1_000;

export interface SchedulerSettings {
  /** How much work, in time at the lane's rate, is queued into a lane ahead: covers the way to the controller and back. */
  readonly aheadNanoseconds: number;
  /** The least work queued ahead, in bytes: a lane at a low rate still gets whole blocks. */
  readonly aheadMinimumBytes: number;
  /** The most work queued ahead, in bytes: an unpaced lane must not swallow a whole file set. */
  readonly aheadMaximumBytes: number;
  /** Lanes into one agent at once. */
  readonly maximumLanesIn: number;
  /** Lanes out of one agent at once. */
  readonly maximumLanesOut: number;
  /** A lane is opened only if it gets at least this part of what its path could carry if it were idle. */
  readonly minimumRateShare: number;
  /** Within a site a transfer is made only at this part or more of what its two interfaces could do: full rate, or wait. */
  readonly leastNicShare: number;
  /** Between sites: of what the whole way could carry. Fragments of a scarce way are worth having. */
  readonly leastWayShare: number;
  /** How many members are looked at for the other end of one transfer. */
  readonly drawnTargets: number;
  readonly drawnSources: number;
  /** Small blocks are put together until a transfer lasts this long ... */
  readonly portionMilliseconds: number;
  /** ... or so many times as long as passes between two transfers, where there are still this many of the file set ... */
  readonly portionPauses: number;
  readonly leastPortions: number;
  /** ... or brings this part of the file set ... */
  readonly portionsOfAFileSet: number;
  /** ... but never more than this. */
  readonly portionMaximumBytes: number;
  /** Bytes on the wire for each byte of payload: a full Ethernet frame carries 1,448 of 1,514. */
  readonly wireShare: number;
  /** Bandwidth taken from a running lane is given to another only after this, and twice the way to its target and back: its ends must have heard of it. */
  readonly holdBackMilliseconds: number;
  /** A running lane's rate is raised only if it gains at least this part: fewer messages. */
  readonly growShare: number;
  /** A lane whose measured rate stays below `shrinkBelowShare` of its rate for this long gives the rest back. */
  readonly shrinkAfterNanoseconds: number;
  readonly shrinkBelowShare: number;
  /** In the mode `overall`: everything is looked at anew at least this often while somebody lacks something ... */
  readonly replanMilliseconds: number;
  /** ... and as soon as no more than this part is left of the lanes that ran after the last time. */
  readonly replanBelowShare: number;
  /** How many sources are looked at for one new lane. */
  readonly candidateSources: number;
  /** For how long a ticket is good after its source first sees it; also how long an unheard target's charges last. */
  readonly ticketMilliseconds: number;
}

export const defaultSchedulerSettings: SchedulerSettings = {
  aheadNanoseconds: 200_000_000,
  aheadMinimumBytes: 1024 * 1024,
  aheadMaximumBytes: 64 * 1024 * 1024,
  maximumLanesIn: 6,
  maximumLanesOut: 8,
  minimumRateShare: 0.2,
  leastNicShare: 0.5,
  leastWayShare: 0.5,
  drawnTargets: 8,
  drawnSources: 16,
  portionMilliseconds: 4,
  portionPauses: 8,
  leastPortions: 64,
  portionsOfAFileSet: 2_048,
  portionMaximumBytes: 16 * 1024 * 1024,
  wireShare: 1_514 / 1_448,
  holdBackMilliseconds: 10,
  growShare: 0.1,
  shrinkAfterNanoseconds: 2_000_000_000,
  shrinkBelowShare: 0.8,
  replanMilliseconds: 100,
  replanBelowShare: 0.9,
  candidateSources: 12,
  ticketMilliseconds: 10_000,
};
