/**
 * The figures of a simulation that has come to its end, each as README.md of scenarios/ defines it: completion counts from a
 * file set's `at`, for targets that are no origins and that run at the end; the makespan from the first `at`.
 */
import type { BoundFileSet } from "../bound/bound-input.ts";
import { CutBounds } from "../bound/cut-bound.ts";
import { nanosecondsPerSecond } from "../std/units.ts";
import { boundEpochsOf, boundFileSetOf } from "./bound-of-scenario.ts";
import { meanOf, percentilesOf, type Percentiles } from "./figures.ts";
import { heldBackBy, type HeldBack } from "./held-back.ts";
import type { LinkUse, UseHistory } from "./link-use.ts";
import { resourceFigures, type ResourceFigures } from "./resource-figures.ts";
import type { Scenario, ScenarioEvent } from "./scenario.ts";
import { uplinkFigures, type UplinkFigures } from "./uplink-copies.ts";
import type { VirtualContent } from "./virtual-content.ts";
import type { VirtualWorld } from "./virtual-world.ts";

export interface CompletionFigures {
  readonly completionSeconds: Percentiles;
  readonly meanSeconds: number;
}

export interface FileSetFigures extends CompletionFigures {
  readonly name: string;
  readonly version: string;
  readonly targets: number;
  /** With this file set alone. */
  readonly boundSeconds: number;
}

export interface SimulationResult extends CompletionFigures {
  readonly makespanSeconds: number;
  /** No schedule can beat this. */
  readonly boundSeconds: number;
  readonly boundKind: string;
  readonly ratio: number;
  readonly fileSets: readonly FileSetFigures[];
  /** Without agents that are slower than declared, or that an event stops, loses or corrupts. */
  readonly healthy: CompletionFigures & { readonly ratio: number; readonly boundSeconds: number };
  /** Payload bytes out of all site uplinks / bytes published. Manifests are not counted. */
  readonly uplinkCopies: number;
  /** The least that it can be. */
  readonly leastUplinkCopies: number;
  readonly uplinks: readonly UplinkFigures[];
  /** Portions that agents were told to pull. */
  readonly transfers: number;
  /** Blocks and manifest pieces that arrived, verified. */
  readonly deliveries: number;
  /** Real time that the controller took; 0 without a clock. */
  readonly decideSeconds: number;
  /** Targets that are dead at the end, and such as lack something: their names, sorted. */
  readonly incomplete: readonly string[];
  readonly violations: readonly string[];
  /** What the bound, and so the distribution, waits for. */
  readonly heldBackBy: HeldBack;
  /** All links of sites and by name, and the busiest interfaces. */
  readonly resources: readonly ResourceFigures[];
  /** Progress and use over time, where they were asked for. */
  readonly history?: SimulationHistory | undefined;
}

export interface SimulationHistory {
  readonly use: UseHistory;
  /** Seconds after the first `at` at which targets were complete, in order. */
  readonly completedSeconds: readonly number[];
  /** File sets times their targets, whether they are complete or not. */
  readonly wantedCount: number;
  /** Bytes that all of these lack at the start. */
  readonly wantedBytes: number;
  /** When the first file set is published, in seconds since the scenario's time 0. */
  readonly startSeconds: number;
}

/** What becomes of one file set at the targets that count. */
interface Outcome {
  readonly content: VirtualContent;
  /** Agents and nanoseconds since the scenario's time 0. */
  readonly completions: ReadonlyMap<string, number>;
}

/** The figures of a world that has come to rest. */
export function resultOf(world: VirtualWorld, linkUse: LinkUse, keepsHistory: boolean): SimulationResult {
  const { scenario, progress, account, contents, controller } = world;
  const harmed = harmedAgents(scenario);
  const dead = progress.deadTargets();
  const outcomes = [...contents.values()].map((content): Outcome => ({
    content,
    completions: new Map([...progress.completions(content.key)].filter(([agent]) => !dead.has(agent))),
  }));
  const bounds = new CutBounds({ agents: scenario.agents, epochs: boundEpochsOf(scenario) });
  const wanted = outcomes.map(({ content }) => boundFileSetOf(world, content));
  const isHealthy = (agent: string): boolean => !harmed.has(agent);
  const wantedByHealthy = outcomes.map(({ content }) => boundFileSetOf(world, content, isHealthy));
  const bound = bounds.bound(wanted);
  const healthyBound = bounds.bound(wantedByHealthy);
  const makespanSeconds = makespanOf(scenario, outcomes, () => true);
  const published = outcomes.reduce((sum, { content }) => sum + content.spec.totalBytes, 0);
  const siteOf = new Map(scenario.agents.map(({ name, site }) => [name, site]));
  const { uplinks, all } = uplinkFigures(wanted, siteOf, account.bytesOutOfSite);
  const copiesOf = (bytes: number): number => (published === 0 ? 0 : bytes / published);
  return {
    makespanSeconds,
    boundSeconds: bound.seconds,
    boundKind: bound.kind,
    ratio: ratioOf(makespanSeconds, bound.seconds),
    ...completionOf(outcomes, () => true),
    fileSets: outcomes.map((outcome, index) => ({
      name: outcome.content.spec.name,
      version: outcome.content.spec.version,
      targets: progress.wantCount(outcome.content.key),
      ...completionOf([outcome], () => true),
      boundSeconds: bounds.bound(wanted.slice(index, index + 1)).seconds,
    })),
    healthy: {
      ratio: ratioOf(makespanOf(scenario, outcomes, isHealthy), healthyBound.seconds),
      boundSeconds: healthyBound.seconds,
      ...completionOf(outcomes, isHealthy),
    },
    uplinkCopies: copiesOf(all.bytes),
    leastUplinkCopies: copiesOf(all.leastBytes),
    uplinks,
    transfers: account.transfers,
    deliveries: account.deliveries,
    decideSeconds: controller.decideSeconds,
    incomplete: [...new Set([...dead, ...progress.missing().map(({ agent }) => agent)])].sort(),
    violations: account.close(),
    heldBackBy: heldBackBy(bound, world.network.links, scenario),
    resources: resourceFigures(linkUse.busyTimes(), makespanSeconds),
    history: keepsHistory ? historyOf(world, linkUse, outcomes, wanted) : undefined,
  };
}

function completionOf(outcomes: readonly Outcome[], isMeant: (agent: string) => boolean): CompletionFigures {
  const seconds: number[] = [];
  for (const { content, completions } of outcomes) {
    for (const [agent, atNanoseconds] of completions) {
      if (isMeant(agent)) seconds.push((atNanoseconds - content.spec.atNanoseconds) / nanosecondsPerSecond);
    }
  }
  return { completionSeconds: percentilesOf(seconds), meanSeconds: meanOf(seconds) };
}

/** From the first `at` to the last completion; 0 where nothing is complete. */
function makespanOf(scenario: Scenario, outcomes: readonly Outcome[], isMeant: (agent: string) => boolean): number {
  let lastAt = 0;
  for (const { completions } of outcomes) {
    for (const [agent, atNanoseconds] of completions) if (isMeant(agent)) lastAt = Math.max(lastAt, atNanoseconds);
  }
  return Math.max(0, lastAt - firstAtNanoseconds(scenario)) / nanosecondsPerSecond;
}

function firstAtNanoseconds(scenario: Scenario): number {
  return scenario.fileSets.reduce((least, { atNanoseconds }) => Math.min(least, atNanoseconds), Infinity);
}

function ratioOf(seconds: number, boundSeconds: number): number {
  return boundSeconds === 0 ? 1 : seconds / boundSeconds;
}

function historyOf(
  world: VirtualWorld,
  linkUse: LinkUse,
  outcomes: readonly Outcome[],
  wanted: readonly BoundFileSet[],
): SimulationHistory {
  const firstAt = firstAtNanoseconds(world.scenario);
  const completedSeconds = outcomes
    .flatMap(({ completions }) => [...completions.values()])
    .map((atNanoseconds) => (atNanoseconds - firstAt) / nanosecondsPerSecond)
    .sort((one, other) => one - other);
  let wantedBytes = 0;
  for (const { blocks, targets, origins, held } of wanted) {
    const isOrigin = new Set(origins);
    for (const name of targets) {
      if (isOrigin.has(name)) continue;
      const own = held?.get(name);
      wantedBytes += blocks.totalBytes - (own === undefined ? 0 : blocks.bytesOf(own));
    }
  }
  const wantedCount = outcomes.reduce((sum, { content }) => sum + world.progress.wantCount(content.key), 0);
  const startSeconds = firstAt === Infinity ? 0 : firstAt / nanosecondsPerSecond;
  return { use: linkUse.history(), completedSeconds, wantedCount, wantedBytes, startSeconds };
}

/** Agents that are slower than they declare, or that an event stops, loses or corrupts. */
function harmedAgents(scenario: Scenario): ReadonlySet<string> {
  const slow = scenario.agents.filter(({ trueRate }) => trueRate < 1).map(({ name }) => name);
  const struck = scenario.events.flatMap((event: ScenarioEvent) =>
    event.type === "stop" || event.type === "lose" || event.type === "corrupt" ? [event.name] : [],
  );
  return new Set([...slow, ...struck]);
}
