/** What each resource carried, beside what it could have. */
import type { BusyTime } from "./link-use.ts";

/** Interfaces that are listed: there may be tens of thousands. */
const maximumInterfaces = 20;

export interface ResourceFigures {
  readonly resource: string;
  /** Manifests and blocks that were cut off are counted here. */
  readonly bytes: number;
  /** Of what it could have carried until the makespan, 0..1. */
  readonly use: number;
  /** How long anything went over it, by looks of some milliseconds. */
  readonly busySeconds: number;
  /** Of what it could have carried in that time, 0..1. */
  readonly useWhileBusy: number;
}

/** All links of sites and by name, and the interfaces that carried the most of what they can; the most used first. */
export function resourceFigures(busyTimes: readonly BusyTime[], makespanSeconds: number): ResourceFigures[] {
  const figures = busyTimes
    .map(({ link, isInterface, busySeconds, useWhileBusy }) => {
      const could = link.trueBitsPerSecond * makespanSeconds;
      const use = could === 0 ? 0 : Math.min(1, link.carriedBits / could);
      return {
        isInterface,
        figures: { resource: link.name, bytes: link.carriedBits / 8, use, busySeconds, useWhileBusy },
      };
    })
    .sort((one, other) => other.figures.use - one.figures.use);
  const interfaces = figures.filter(({ isInterface }) => isInterface).slice(0, maximumInterfaces);
  const listed = new Set(interfaces.map(({ figures: { resource } }) => resource));
  return figures
    .filter(({ isInterface, figures: { resource } }) => !isInterface || listed.has(resource))
    .map((entry) => entry.figures);
}
