/** The modes of scheduling, and the policies by which sources are chosen, by the names that users give them. */
import { UserError } from "../std/errors.ts";

/**
 * `incremental`: on each event, looking only at what has changed (claims 6, 35). `overall`: everything is looked at in one
 * pass, now and then (5, 34). `partition`: each site, or named group of sites, by itself (7, 36). `precomputed`: a schedule
 * is worked out beforehand, and instructions are drawn from it while reality agrees (8, 37).
 */
export const schedulingModes = ["incremental", "overall", "partition", "precomputed"] as const;
export type SchedulingMode = (typeof schedulingModes)[number];

/**
 * `cost`: the cost function chooses (claim 30). To compare with: `direct`, every target pulls from an origin; `random`, a
 * uniformly chosen holder gives its rarest block, as in a good swarm that knows nothing of sites.
 */
export const schedulingPolicies = ["cost", "direct", "random"] as const;
export type SchedulingPolicy = (typeof schedulingPolicies)[number];

/** Names of parts by the site that is in them; a site that is not named is a part of its own. */
export type Partitions = ReadonlyMap<string, string>;

/** @throws UserError when a policy cannot choose within parts, or parts are named that no mode asks for */
export function checkMode(mode: SchedulingMode, policy: SchedulingPolicy, partitions: Partitions): void {
  if (mode === "partition" && policy !== "cost") {
    throw new UserError(`the policy ${policy} knows nothing of sites: it cannot go with the mode partition`, {
      hint: "take --policy cost, or another --mode",
    });
  }
  if (mode !== "partition" && partitions.size > 0) {
    throw new UserError(`parts are named, and the mode ${mode} has none`, { hint: "add --mode partition" });
  }
}

/**
 * Takes `EUROPE=fra+ams`, once for each part.
 * @throws UserError when one cannot be read, or a site is in two
 */
export function parsePartitions(texts: readonly string[]): Partitions {
  const partitions = new Map<string, string>();
  const names = new Set<string>();
  for (const text of texts) {
    const [, name, list] = /^([^=,\s]+)=([^=\s]+)$/.exec(text) ?? [];
    const sites = list?.split("+") ?? [];
    if (name === undefined || sites.some((site) => site === "")) {
      throw new UserError(`${JSON.stringify(text)} names no part`, { hint: "write it as NAME=SITE+SITE" });
    }
    if (names.has(name)) throw new UserError(`the part ${name} is there twice`);
    names.add(name);
    for (const site of sites) {
      const other = partitions.get(site);
      if (other !== undefined) throw new UserError(`site ${site} is in the parts ${other} and ${name}`);
      partitions.set(site, name);
    }
  }
  return partitions;
}
