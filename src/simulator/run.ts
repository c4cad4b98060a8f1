/**
 * Runs a scenario to its end and gives the figures. The same scenario and seed give the same result on every machine, but
 * for `decideSeconds`.
 */
import { CutBounds } from "../bound/cut-bound.ts";
import { defaultControllerSettings, type ControllerSettings } from "../control/controller/settings.ts";
import { nanosecondsPerSecond } from "../std/units.ts";
import { checkAtEnd, checkNow } from "./checker.ts";
import { boundEpochsOf, boundFileSetOf } from "./bound-of-scenario.ts";
import { meanOf, percentilesOf, type Percentiles } from "./figures.ts";
import type { Scenario, ScenarioEvent } from "./scenario.ts";
import { VirtualWorld, type WorldOptions } from "./virtual-world.ts";

export interface SimulationOptions {
  /** In place of the scenario's. */
  readonly seed?: number | undefined;
  readonly settings?: Partial<ControllerSettings> | undefined;
  /** Reads seconds of real time, for `decideSeconds`; without it that is 0. */
  readonly readSeconds?: (() => number) | undefined;
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

export interface CompletionFigures {
  readonly completionSeconds: Percentiles;
  readonly meanSeconds: number;
}

export interface SimulationResult extends CompletionFigures {
  readonly makespanSeconds: number;
  readonly boundSeconds: number;
  readonly boundKind: string;
  readonly ratio: number;
  readonly fileSets: readonly (CompletionFigures & { readonly name: string; readonly boundSeconds: number })[];
  readonly healthy: CompletionFigures & { readonly ratio: number };
  /** Payload bytes out of all site uplinks / bytes published. */
  readonly uplinkCopies: number;
  /** Portions that agents were told to pull. */
  readonly transfers: number;
  /** Blocks and manifest pieces that arrived, verified. */
  readonly deliveries: number;
  readonly decideSeconds: number;
  /** Targets that were dead at the end and lack something: their names, sorted. */
  readonly incomplete: readonly string[];
  readonly violations: readonly string[];
  /** Bytes that each resource carried, manifests included, against what it could have until the makespan. */
  readonly resources: readonly { readonly resource: string; readonly bytes: number; readonly use: number }[];
}

const defaultStarvedNanoseconds = 1_200 * nanosecondsPerSecond;
const defaultSettleNanoseconds = 0;
const defaultCheckNanoseconds = nanosecondsPerSecond;

/** Runs a scenario. Throws what the state machines throw: a defect. */
export function simulate(given: Scenario, options: SimulationOptions = {}): SimulationResult {
  const scenario = options.seed === undefined ? given : { ...given, seed: options.seed };
  const world = new VirtualWorld(scenario, {
    settings: { ...defaultControllerSettings, ...options.settings },
    readSeconds: options.readSeconds,
    ...options.inspect,
  });
  options.prepare?.(world);
  runToEnd(world, options);
  return resultOf(world);
}

function runToEnd(world: VirtualWorld, options: SimulationOptions): void {
  const { clock, progress, scenario } = world;
  const starvedAfter = options.starvedAfterNanoseconds ?? defaultStarvedNanoseconds;
  const checkEvery = options.checkEveryNanoseconds ?? defaultCheckNanoseconds;
  const lastEventAt = world.startNanoseconds + (scenario.events.at(-1)?.atNanoseconds ?? 0);
  let checkAt = checkEvery;
  for (;;) {
    while (!progress.isOver && clock.nowNanoseconds < checkAt) if (!clock.step(checkAt)) break;
    if (progress.isOver && clock.nowNanoseconds >= lastEventAt) break;
    if (progress.isOver) clock.step(checkAt);
    if (clock.nowNanoseconds < checkAt) continue;
    checkAt += checkEvery;
    checkNow(world);
    const stillSince = Math.max(progress.movedAtNanoseconds, lastEventAt);
    if (clock.nowNanoseconds - stillSince > starvedAfter) break;
  }
  const settleUntil = clock.nowNanoseconds + (options.settleNanoseconds ?? defaultSettleNanoseconds);
  if (options.settleNanoseconds !== undefined) while (clock.step(settleUntil));
  checkAtEnd(world, options.settleNanoseconds !== undefined);
}

function resultOf(world: VirtualWorld): SimulationResult {
  const { scenario, progress, account, contents, controller } = world;
  const harmed = harmedAgents(scenario);
  const bounds = new CutBounds({ agents: scenario.agents, epochs: boundEpochsOf(scenario) });
  const all: number[] = [];
  const healthy: number[] = [];
  let lastAt = 0;
  let lastHealthyAt = 0;
  const firstAt = scenario.fileSets.reduce((least, { atNanoseconds }) => Math.min(least, atNanoseconds), Infinity);
  const fileSets = [...contents.values()].map((content) => {
    const seconds: number[] = [];
    for (const [agent, atNanoseconds] of progress.completions(content.key)) {
      const elapsed = (atNanoseconds - content.spec.atNanoseconds) / nanosecondsPerSecond;
      seconds.push(elapsed);
      lastAt = Math.max(lastAt, atNanoseconds);
      if (harmed.has(agent)) continue;
      healthy.push(elapsed);
      lastHealthyAt = Math.max(lastHealthyAt, atNanoseconds);
    }
    all.push(...seconds);
    const bound = bounds.bound([boundFileSetOf(world, content)]);
    return { name: content.spec.name, ...completionOf(seconds), boundSeconds: bound.seconds };
  });
  const makespanSeconds = spanSeconds(lastAt, firstAt);
  const wanted = [...contents.values()];
  const bound = bounds.bound(wanted.map((content) => boundFileSetOf(world, content)));
  const healthyBound = bounds.bound(
    wanted.map((content) => boundFileSetOf(world, content, (agent) => !harmed.has(agent))),
  );
  const published = [...contents.values()].reduce((sum, content) => sum + content.spec.totalBytes, 0);
  return {
    makespanSeconds,
    boundSeconds: bound.seconds,
    boundKind: bound.kind,
    ratio: ratioOf(makespanSeconds, bound.seconds),
    ...completionOf(all),
    fileSets,
    healthy: { ratio: ratioOf(spanSeconds(lastHealthyAt, firstAt), healthyBound.seconds), ...completionOf(healthy) },
    uplinkCopies: published === 0 ? 0 : account.betweenSitesBytes / published,
    transfers: account.transfers,
    deliveries: account.deliveries,
    decideSeconds: controller.decideSeconds,
    incomplete: [...new Set(progress.missing().map(({ agent }) => agent))].sort(),
    violations: account.close(),
    resources: [...world.network.links.values()].map((link) => ({
      resource: link.name,
      bytes: link.carriedBits / 8,
      use: makespanSeconds === 0 ? 0 : link.carriedBits / (link.trueBitsPerSecond * makespanSeconds),
    })),
  };
}

function completionOf(seconds: readonly number[]): CompletionFigures {
  return { completionSeconds: percentilesOf(seconds), meanSeconds: meanOf(seconds) };
}

function spanSeconds(lastAtNanoseconds: number, firstAtNanoseconds: number): number {
  return Math.max(0, lastAtNanoseconds - firstAtNanoseconds) / nanosecondsPerSecond;
}

function ratioOf(seconds: number, boundSeconds: number): number {
  return boundSeconds === 0 ? 1 : seconds / boundSeconds;
}

/** Agents that are slower than they declare, or that an event stops, loses or corrupts. */
function harmedAgents(scenario: Scenario): ReadonlySet<string> {
  const slow = scenario.agents.filter(({ trueRate }) => trueRate < 1).map(({ name }) => name);
  const struck = scenario.events.flatMap((event: ScenarioEvent) =>
    event.type === "stop" || event.type === "lose" || event.type === "corrupt" ? [event.name] : [],
  );
  return new Set([...slow, ...struck]);
}
