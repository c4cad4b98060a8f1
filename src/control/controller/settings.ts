/** What the controller goes by: each time-out and count with its default. All can be set by the operator. */
import { defaultSchedulerSettings, type SchedulerSettings } from "../../scheduler/limits.ts";
import type { Partitions, SchedulingMode, SchedulingPolicy } from "../../scheduler/modes.ts";
import { defaultCostWeights, type CostWeights } from "../../scheduler/cost.ts";

export interface ControllerSettings {
  /** Agents say something at least this often; one that is silent for three times this is taken for gone. */
  readonly heartbeatMilliseconds: number;
  /** Agents gather changes of their state for at most this long before they send them. */
  readonly reportMilliseconds: number;
  /** A lane on which a block is due and no byte comes for this long has stalled. */
  readonly stallMilliseconds: number;
  /** Versions of a file set that agents keep: the active one and those before it. */
  readonly keepVersions: number;
  /** After a start, lanes that earlier instructions opened may still run at agents that are not back yet: nothing is scheduled until all that were connected, and the publishers of what is being published, are back, or for this long. */
  readonly recoveryMilliseconds: number;
  /** A publish whose publisher is away for so long is aborted. */
  readonly publisherGoneMilliseconds: number;
  /** Failures of a component after which it is taken out of use (claim 17). */
  readonly outOfUseAfter: number;
  /** A count is forgotten when nothing was added to it for so long. */
  readonly failureMemoryMilliseconds: number;
  /** A component that is out of use is probed after this, then after twice this, and so on up to the maximum. */
  readonly retryMilliseconds: number;
  /** The longest time between two probes of it. */
  readonly retryMaximumMilliseconds: number;
  /** How long a probe may take, beside the time that its block needs at its rate. */
  readonly probeTimeoutMilliseconds: number;
  /** How often a random agent is challenged with a random block; 0: never. */
  readonly challengeIntervalMilliseconds: number;
  /** How long a challenge may take, beside twice the time that its block needs at its rate. */
  readonly challengeTimeoutMilliseconds: number;
  /** Agents of one file set that a publisher may hand blocks over to. */
  readonly receivers: number;
  /** Whether agents that do not want a file set may carry it for others. */
  readonly relays: "targets" | "all";
  readonly mode: SchedulingMode;
  readonly policy: SchedulingPolicy;
  /** Names of parts by site, for the mode `partition`; a site that is not in it is a part of its own. */
  readonly partitions: Partitions;
  readonly scheduler: SchedulerSettings;
  readonly weights: CostWeights;
}

export const defaultControllerSettings: ControllerSettings = {
  heartbeatMilliseconds: 2_000,
  reportMilliseconds: 25,
  stallMilliseconds: 5_000,
  keepVersions: 2,
  recoveryMilliseconds: 10_000,
  publisherGoneMilliseconds: 60_000,
  outOfUseAfter: 3,
  failureMemoryMilliseconds: 600_000,
  retryMilliseconds: 30_000,
  retryMaximumMilliseconds: 600_000,
  probeTimeoutMilliseconds: 10_000,
  challengeIntervalMilliseconds: 0,
  challengeTimeoutMilliseconds: 60_000,
  receivers: 8,
  relays: "targets",
  mode: "incremental",
  policy: "cost",
  partitions: new Map<string, string>(),
  scheduler: defaultSchedulerSettings,
  weights: defaultCostWeights,
};

export const nanosecondsPerMillisecond = 1_000_000;
