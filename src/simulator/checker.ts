/**
 * What must hold in the simulated world beside what its parts watch all the time: the controller's own ledger while it
 * runs, and at the end that everybody has what is there to be had, and that everybody agrees on it.
 */
import type { ResourceView } from "../protocol/views.ts";
import { RangeSet } from "../std/ranges.ts";
import type { VirtualWorld } from "./virtual-world.ts";

/** The controller's own view of its ledger. */
export function checkNow(world: VirtualWorld): void {
  const { core } = world.controller;
  if (core === undefined) return;
  const now = world.clock.nowNanoseconds;
  for (const view of core.resources()) {
    if (view.capabilityBitsPerSecond === null || view.allocatedBitsPerSecond <= view.capabilityBitsPerSecond) continue;
    if (now < (world.network.links.get(view.resource)?.toleratedUntilNanoseconds ?? 0)) continue;
    world.account.violation(`the controller's ledger has ${describe(view)} at ${String(now)} ns`);
  }
}

/** @param isSettled time was given for the last reports */
export function checkAtEnd(world: VirtualWorld, isSettled: boolean): void {
  checkMissing(world);
  checkDisks(world);
  if (isSettled) checkBooks(world);
}

/** Another version of it is the active one: it need not be obtained any more. */
function isSuperseded(world: VirtualWorld, fileSet: string): boolean {
  const versions = world.controller.core?.fileSets() ?? [];
  const name = fileSet.slice(0, fileSet.indexOf("@"));
  return versions.some((version) => version.active && version.name === name && version.fileSet !== fileSet);
}

/** Nobody who runs may lack a block that somebody who runs holds; a target may lack what is nowhere any more. */
function checkMissing(world: VirtualWorld): void {
  for (const { agent, fileSet, isDead } of world.progress.missing()) {
    if (isDead || isSuperseded(world, fileSet)) continue;
    const content = world.contents.get(fileSet);
    const held = world.agents.get(agent)?.disk.held(fileSet) ?? new RangeSet();
    const missing = held.complement(0, content?.manifest.blockCount ?? 0);
    const elsewhere = new RangeSet();
    for (const other of world.running.values()) elsewhere.addAll(other.disk.held(fileSet) ?? new RangeSet());
    const reachable = missing.intersection(elsewhere);
    const status = world.agents
      .get(agent)
      ?.core?.view()
      .fileSets.find((entry) => entry.fileSet === fileSet);
    world.account.violation(
      `${agent} is starved: of ${fileSet} it lacks ${String(missing.count)} of ${String(content?.manifest.blockCount)} blocks, ` +
        `${String(reachable.count)} of which others hold, when all stood still at ${String(world.clock.nowNanoseconds)} ns (${JSON.stringify(status)})`,
    );
  }
  for (const { name, outcome, content } of world.publishers) {
    if (world.removedFileSets.has(content.key)) continue;
    if (outcome?.kind !== "committed" && outcome?.kind !== "already") {
      world.account.violation(`the ${name} ended as ${JSON.stringify(outcome)}`);
    }
  }
}

/** Who counts as complete holds every block. */
function checkDisks(world: VirtualWorld): void {
  for (const key of world.contents.keys()) {
    for (const name of world.progress.completions(key).keys()) {
      const agent = world.agents.get(name);
      if (agent?.disk.isWhole(key) !== false) continue;
      world.account.violation(`${name} counts as complete but lacks blocks of ${key}`);
    }
  }
}

/** The controller knows that all is held, and nothing is allocated any more. */
function checkBooks(world: VirtualWorld): void {
  const { core } = world.controller;
  if (core === undefined) return;
  const isDone = world.progress.missing().every(({ isDead }) => isDead);
  for (const summary of core.fileSets()) {
    const { targets, held, offline } = summary.counts;
    if (world.removedFileSets.has(summary.fileSet)) continue;
    if (isDone && summary.state === "published" && held + offline < targets) {
      world.account.violation(
        `the controller counts ${String(held)} of ${String(targets)} targets that hold ${summary.fileSet}`,
      );
    }
  }
  if (!isDone) return;
  for (const view of core.resources()) {
    if (view.allocatedBitsPerSecond === 0) continue;
    world.account.violation(`when all is done, the controller's ledger has ${describe(view)}`);
  }
  for (const agent of world.running.values()) {
    if (agent.lanes.size === 0) continue;
    world.account.violation(`when all is done, ${agent.name} still has ${String(agent.lanes.size)} lanes`);
  }
}

function describe(view: ResourceView): string {
  return `${String(view.allocatedBitsPerSecond)} of ${String(view.capabilityBitsPerSecond)} bits per second of ${view.resource} allocated`;
}
