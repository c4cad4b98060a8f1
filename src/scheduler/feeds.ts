/** Whether one member's blocks reach another through running lanes: such a one must not wait for the other's blocks. */
import type { Lane } from "./lane.ts";
import type { Member } from "./world.ts";

/** How far up the lanes are followed; beyond, the answer is the safe one. */
const followedMembers = 256;

/**
 * True if `member` is among the sources of `other`, or theirs, and so on. Two members that wait for each other's
 * coming blocks would wait for ever.
 * @param except a lane that does not count
 */
export function feeds(member: Member, other: Member, except: Lane | undefined): boolean {
  const seen = new Set<Member>([other]);
  const next: Member[] = [other];
  while (next.length > 0) {
    const current = next.pop();
    if (current === undefined) break;
    for (const lane of current.lanesIn) {
      if (lane === except) continue;
      if (lane.source === member) return true;
      if (seen.has(lane.source)) continue;
      if (seen.size >= followedMembers) return true;
      seen.add(lane.source);
      next.push(lane.source);
    }
  }
  return false;
}
