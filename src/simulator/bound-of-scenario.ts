/** What the lower bounds (src/bound) are to know of a scenario. They follow `set`, and ignore stops, losses and corruption. */
import { equalBlocks, type BoundEpoch, type BoundFileSet } from "../bound/bound-input.ts";
import { matchesSelector, parseSelector } from "../model/selector.ts";
import { RangeSet } from "../std/ranges.ts";
import { nanosecondsPerSecond } from "../std/units.ts";
import type { Scenario } from "./scenario.ts";
import type { VirtualContent } from "./virtual-content.ts";
import type { VirtualWorld } from "./virtual-world.ts";

/** The topology from time to time. */
export function boundEpochsOf(scenario: Scenario): BoundEpoch[] {
  let { topology } = scenario;
  const epochs: BoundEpoch[] = [{ fromSeconds: 0, topology }];
  for (const event of scenario.events) {
    if (event.type !== "set") continue;
    topology = topology.withCapability(event.resource, event.bitsPerSecond);
    epochs.push({ fromSeconds: event.atNanoseconds / nanosecondsPerSecond, topology });
  }
  return epochs;
}

/** @param isMeant which of the targets count as wanting it */
export function boundFileSetOf(
  world: VirtualWorld,
  content: VirtualContent,
  isMeant: (agent: string) => boolean = () => true,
): BoundFileSet {
  const { spec } = content;
  const selector = parseSelector(spec.targets);
  const matching = world.scenario.agents.filter((agent) => matchesSelector(selector, agent));
  const targets = matching.filter(({ name }) => isMeant(name));
  // Who is not meant does not count as wanting it, but passes it on all the same.
  const held = new Map(matching.filter(({ name }) => !isMeant(name)).map(({ name }) => [name, new RangeSet()]));
  for (const [name, blocks] of world.givenBlocks.get(content.key) ?? []) held.set(name, blocks);
  const isSingle = spec.fileCount === 1;
  const { manifest } = content;
  return {
    startSeconds: spec.atNanoseconds / nanosecondsPerSecond,
    blocks: isSingle
      ? equalBlocks(spec.totalBytes, spec.blockBytes)
      : {
          count: manifest.blockCount,
          totalBytes: manifest.totalBytes,
          shortestBytes: manifest.blockCount === 0 ? 0 : shortestOf(content),
          bytesOf: (blocks) => manifest.bytesInRanges(blocks),
        },
    origins: spec.origins,
    targets: targets.map(({ name }) => name),
    relays: world.scenario.relays,
    held,
    growthBitsPerSecond: spec.growthBitsPerSecond,
  };
}

/** The last block of the smallest file, or a whole one. */
function shortestOf(content: VirtualContent): number {
  const { blockBytes, fileCount } = content.spec;
  const lengths = [0, fileCount - 1].map((file) => content.fileBytes(file) % blockBytes || blockBytes);
  return Math.min(...lengths);
}
