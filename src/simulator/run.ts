/**
 * Runs a scenario to its end and gives the figures. The same scenario and seed give the same result on every machine, but
 * for `decideSeconds`.
 */
import { defaultControllerSettings, type ControllerSettings } from "../control/controller/settings.ts";
import type { OnDecision } from "../scheduler/decision-record.ts";
import { nanosecondsPerSecond } from "../std/units.ts";
import { checkAtEnd, checkNow } from "./checker.ts";
import { LinkUse } from "./link-use.ts";
import { resultOf, type SimulationResult } from "./result.ts";
import type { Scenario } from "./scenario.ts";
import { VirtualWorld, type WorldOptions } from "./virtual-world.ts";

export interface SimulationOptions {
  /** In place of the scenario's. */
  readonly seed?: number | undefined;
  readonly settings?: Partial<ControllerSettings> | undefined;
  /** Reads seconds of real time, for `decideSeconds`; without it that is 0. */
  readonly readSeconds?: (() => number) | undefined;
  /** Takes each decision of the scheduler, at times since the scenario's time 0. */
  readonly onDecision?: OnDecision | undefined;
  /** Whether the result is to say how completion and use went over time. */
  readonly keepsHistory?: boolean | undefined;
  /** Called now and then with the bytes that targets have stored, of those that they are to have at the end. */
  readonly onProgress?: ((storedBytes: number, wantedBytes: number) => void) | undefined;
  /** Called with the world before it starts to move. */
  readonly prepare?: ((world: VirtualWorld) => void) | undefined;
  readonly inspect?: Pick<WorldOptions, "inspectAgentMessage" | "inspectControllerMessage" | "noted"> | undefined;
  /** Where everything stands still for so long although something is missing, someone is starved. */
  readonly starvedAfterNanoseconds?: number | undefined;
  /** How long the world moves on after everything is complete, before the controller's books are looked at. */
  readonly settleNanoseconds?: number | undefined;
  /** How often the controller's own ledger is looked at. */
  readonly checkEveryNanoseconds?: number | undefined;
}

const defaultStarvedNanoseconds = 1_200 * nanosecondsPerSecond;
const defaultSettleNanoseconds = 0;
const defaultCheckNanoseconds = nanosecondsPerSecond;

/** There are no headers in the virtual network: a transfer takes its blocks' time. */
function settingsFor(scenario: Scenario, given: Partial<ControllerSettings> | undefined): ControllerSettings {
  const weights = { ...defaultControllerSettings.weights, ...scenario.weights };
  const settings = { ...defaultControllerSettings, relays: scenario.relays, weights, ...given };
  return { ...settings, scheduler: { ...settings.scheduler, wireShare: 1 } };
}

/** Runs a scenario. Throws what the state machines throw: a defect. */
export function simulate(given: Scenario, options: SimulationOptions = {}): SimulationResult {
  const scenario = options.seed === undefined ? given : { ...given, seed: options.seed };
  const { onDecision, keepsHistory = false } = options;
  const world: VirtualWorld = new VirtualWorld(scenario, {
    settings: settingsFor(scenario, options.settings),
    readSeconds: options.readSeconds,
    onDecision:
      onDecision &&
      ((record) => onDecision({ ...record, atNanoseconds: record.atNanoseconds - world.startNanoseconds })),
    ...options.inspect,
  });
  options.prepare?.(world);
  const linkUse = new LinkUse(world, keepsHistory);
  runToEnd(world, linkUse, options);
  return resultOf(world, linkUse, keepsHistory);
}

function runToEnd(world: VirtualWorld, linkUse: LinkUse, options: SimulationOptions): void {
  const { clock, progress, scenario } = world;
  const starvedAfter = options.starvedAfterNanoseconds ?? defaultStarvedNanoseconds;
  const checkEvery = options.checkEveryNanoseconds ?? defaultCheckNanoseconds;
  const lastEventAt = world.startNanoseconds + (scenario.events.at(-1)?.atNanoseconds ?? 0);
  let wantedBytes = 0;
  for (const { key, spec } of world.contents.values()) wantedBytes += progress.wantCount(key) * spec.totalBytes;
  let checkAt = checkEvery;
  for (;;) {
    const until = Math.min(checkAt, linkUse.nextAtNanoseconds);
    while (!progress.isOver && clock.nowNanoseconds < until) if (!clock.step(until)) break;
    if (progress.isOver && clock.nowNanoseconds >= lastEventAt) break;
    if (progress.isOver) clock.step(until);
    if (clock.nowNanoseconds >= linkUse.nextAtNanoseconds) {
      linkUse.look();
      options.onProgress?.(world.account.content.storedBytes, wantedBytes);
    }
    if (clock.nowNanoseconds < checkAt) continue;
    checkAt += checkEvery;
    checkNow(world);
    const stillSince = Math.max(progress.movedAtNanoseconds, lastEventAt);
    if (clock.nowNanoseconds - stillSince > starvedAfter) break;
  }
  linkUse.look();
  const settleUntil = clock.nowNanoseconds + (options.settleNanoseconds ?? defaultSettleNanoseconds);
  if (options.settleNanoseconds !== undefined) while (clock.step(settleUntil));
  checkAtEnd(world, options.settleNanoseconds !== undefined);
}
