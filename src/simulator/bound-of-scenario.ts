/** What the lower bounds (src/bound) are to know of a scenario. They follow `set`, and ignore stops, losses and corruption. */
import { equalBlocks, type BoundEpoch, type BoundFileSet } from "../bound/bound-input.ts";
import { matchesSelector, parseSelector } from "../model/selector.ts";
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
  const targets = world.scenario.agents.filter((agent) => matchesSelector(selector, agent) && isMeant(agent.name));
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
    held: world.givenBlocks.get(content.key),
    growthBitsPerSecond: spec.growthBitsPerSecond,
  };
}

/** The last block of the smallest file, or a whole one. */
function shortestOf(content: VirtualContent): number {
  const { blockBytes, fileCount } = content.spec;
  const lengths = [0, fileCount - 1].map((file) => content.fileBytes(file) % blockBytes || blockBytes);
  return Math.min(...lengths);
}
