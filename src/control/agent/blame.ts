/**
 * Works out which component is responsible when a transfer fails (claim 16, rule 10 of the design).
 *
 * Bytes that are wrong and connections that are refused are the source agent's. A stall is judged by elimination: every
 * resource on the way of a stalled lane is suspected, and cleared if a lane that delivers uses it too. Lying on the path
 * counts for nothing: what is left over several candidates is a suspicion, which a probe settles.
 */
import { agentNicDown, agentNicUp } from "../../model/resources.ts";
import type { FailureKind } from "../../protocol/parts.ts";

/** A lane as blame sees it. `path`: names of the resources between the two ends, as the controller gave them. */
export interface LanePath {
  readonly sourceName: string;
  readonly path: readonly string[];
}

export interface Verdict {
  readonly component: string;
  readonly certain: boolean;
  readonly alsoSuspected: readonly string[];
  /** The sources whose lanes showed it. */
  readonly sourceNames: readonly string[];
}

/** Who answers for a failure that is not a stall. What a mere race of messages can cause is only a suspicion. */
export function blameForKind(kind: Exclude<FailureKind, "stalled">, sourceName: string, selfName: string): Verdict {
  if (kind === "disk") {
    return { component: `agents.${selfName}.disk`, certain: true, alsoSuspected: [], sourceNames: [] };
  }
  const certain = kind !== "notHeld" && kind !== "ticketRefused";
  return { component: `agents.${sourceName}`, certain, alsoSuspected: [], sourceNames: [sourceName] };
}

/**
 * Judges lanes that stalled at about the same time.
 * @param delivering lanes on which bytes came in that time
 * @returns one verdict for each group of stalls with a common cause
 */
export function judgeStalls(
  selfName: string,
  stalled: readonly LanePath[],
  delivering: readonly LanePath[],
): readonly Verdict[] {
  const cleared = new Set(delivering.flatMap((lane) => wayOf(lane, selfName)));
  let left = stalled.map((lane) => ({
    sourceName: lane.sourceName,
    suspects: wayOf(lane, selfName).filter((resource) => !cleared.has(resource)),
  }));
  const verdicts: Verdict[] = [];
  for (;;) {
    const common = mostShared(left);
    if (common === undefined) break;
    const group = left.filter((lane) => lane.suspects.includes(common));
    left = left.filter((lane) => !lane.suspects.includes(common));
    const first = group[0]?.suspects ?? [];
    const inAll = first.filter((resource) => group.every((lane) => lane.suspects.includes(resource)));
    const others = inAll.filter((resource) => resource !== common);
    verdicts.push({
      component: common,
      certain: others.length === 0,
      alsoSuspected: others,
      sourceNames: distinct(group.map((lane) => lane.sourceName)),
    });
  }
  for (const sourceName of distinct(left.map((lane) => lane.sourceName))) {
    const lane = left.find((candidate) => candidate.sourceName === sourceName);
    verdicts.push(judgeSingle(sourceName, lane?.suspects ?? []));
  }
  return verdicts;
}

/** Every stalled lane of this group comes from one source. */
function judgeSingle(sourceName: string, suspects: readonly string[]): Verdict {
  const [component, ...others] = suspects;
  // The same way brings bytes through another lane: no resource is at fault, the program at the other end may be.
  if (component === undefined) {
    return { component: `agents.${sourceName}`, certain: false, alsoSuspected: [], sourceNames: [sourceName] };
  }
  return { component, certain: others.length === 0, alsoSuspected: others, sourceNames: [sourceName] };
}

/** The resource that lanes from the most sources suspect, two at least; among equals the one nearest to the sources. */
function mostShared(
  lanes: readonly { readonly sourceName: string; readonly suspects: readonly string[] }[],
): string | undefined {
  const sources = new Map<string, Set<string>>();
  for (const lane of lanes) {
    for (const resource of lane.suspects) {
      const seen = sources.get(resource) ?? new Set<string>();
      seen.add(lane.sourceName);
      sources.set(resource, seen);
    }
  }
  let best: string | undefined;
  let bestCount = 1;
  for (const [resource, { size }] of sources) {
    if (size > bestCount) {
      best = resource;
      bestCount = size;
    }
  }
  return best;
}

/** All that a lane needs, from the source's NIC to this agent's. */
function wayOf(lane: LanePath, selfName: string): string[] {
  const up = agentNicUp(lane.sourceName);
  const down = agentNicDown(selfName);
  return [up, ...lane.path.filter((resource) => resource !== up && resource !== down), down];
}

function distinct(names: readonly string[]): string[] {
  return [...new Set(names)];
}
