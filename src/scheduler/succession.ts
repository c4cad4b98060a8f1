/**
 * Lanes that follow others. Where words take long, a lane's end is foreseen, and what it has is offered before it ends, to
 * other lanes out of the same source or into the same target. A lane that claims some of it begins only when the earlier
 * one has ended: the end that both have in common sees to that (`after` in tickets and instructions), so no resource ever carries both, however late
 * the earlier one is. Until then what it claims stays charged to the earlier one.
 */
import type { Ledger } from "./ledger.ts";
import { letFollow, type Lane } from "./lane.ts";
import type { Member } from "./world.ts";

/** Offers what a lane has to those that will follow it. */
export function offer(lane: Lane, ledger: Ledger): void {
  lane.isOffered = true;
  lane.source.runningOut -= 1;
  lane.target.runningIn -= 1;
  changeOffer(lane, ledger, (index) => lane.rateBitsPerSecond - claimedOn(lane, index));
}

/** Takes back what nobody has claimed. */
export function withdrawOffer(lane: Lane, ledger: Ledger): void {
  if (!lane.isOffered) return;
  lane.isOffered = false;
  lane.source.runningOut += 1;
  lane.target.runningIn += 1;
  changeOffer(lane, ledger, (index) => claimedOn(lane, index) - lane.rateBitsPerSecond);
}

function changeOffer(lane: Lane, ledger: Ledger, bitsPerSecond: (index: number) => number): void {
  for (const index of lane.path) ledger.offer(index, bitsPerSecond(index));
}

export function claimedOn(lane: Lane, index: number): number {
  let sum = 0;
  for (const claim of lane.claims) if (claim.index === index) sum += claim.bitsPerSecond;
  return sum;
}

/** The most that has been claimed of a lane on any resource. */
export function mostClaimed(lane: Lane): number {
  let most = 0;
  for (const { index } of lane.claims) most = Math.max(most, claimedOn(lane, index));
  return most;
}

/** What a lane between two members would get on what lies between their sites. */
export function freeBetween(source: Member, target: Member, middle: readonly number[], ledger: Ledger): number {
  if (!offersOut(source) && !offersIn(target)) return ledger.free(middle);
  let free = Infinity;
  for (const index of middle) {
    let here = ledger.freeOn(index);
    for (const lane of source.lanesOut) here += unclaimedOn(lane, index);
    for (const lane of target.lanesIn) if (lane.source !== source) here += unclaimedOn(lane, index);
    free = Math.min(free, here);
  }
  return free;
}

/** Whether the end of a lane out of a member is foreseen. */
export function offersOut({ lanesOut, runningOut }: Member): boolean {
  return lanesOut.length > runningOut;
}

export function offersIn({ lanesIn, runningIn }: Member): boolean {
  return lanesIn.length > runningIn;
}

/** What of a resource a lane offers that nobody has claimed. */
function unclaimedOn(lane: Lane, index: number): number {
  if (!lane.isOffered || !lane.path.includes(index)) return 0;
  return lane.rateBitsPerSecond - claimedOn(lane, index);
}

/**
 * Charges a new lane: what it can take over from lanes that will end it claims, the rest must be free.
 * @throws RangeError when it is not: nothing is charged then
 */
export function chargeSuccessor(lane: Lane, ledger: Ledger): void {
  const rate = lane.rateBitsPerSecond;
  const claims = lane.path.map((index) => claimsOn(lane, index, ledger));
  const charges = claims.map((list) => rate - list.reduce((sum, claim) => sum + claim.bitsPerSecond, 0));
  for (const [place, index] of lane.path.entries()) {
    if ((charges[place] as number) > ledger.freeOn(index)) {
      throw new RangeError(`a charge of ${rate} bit/s does not fit the path`);
    }
  }
  for (const [place, index] of lane.path.entries()) {
    ledger.retain([index], charges[place] as number);
    for (const { predecessor, bitsPerSecond } of claims[place] as readonly PossibleClaim[]) {
      predecessor.claims.push({ successor: lane, index, bitsPerSecond });
      letFollow(lane, predecessor);
      ledger.offer(index, -bitsPerSecond);
    }
  }
  if (lane.predecessors.length > 0) lane.charges = charges;
}

interface PossibleClaim {
  readonly predecessor: Lane;
  readonly bitsPerSecond: number;
}

/** What of one resource is taken over, from whom: first from those that end first. */
function claimsOn(lane: Lane, index: number, ledger: Ledger): PossibleClaim[] {
  if (ledger.capabilityOn(index) === Infinity) return [];
  const earlier = [...new Set([...lane.source.lanesOut, ...lane.target.lanesIn])]
    .filter((other) => unclaimedOn(other, index) > 0)
    .sort((a, b) => a.expectedEndNanoseconds - b.expectedEndNanoseconds || a.laneId - b.laneId);
  const claims: PossibleClaim[] = [];
  let left = lane.rateBitsPerSecond;
  for (const predecessor of earlier) {
    const bitsPerSecond = Math.min(left, unclaimedOn(predecessor, index));
    claims.push({ predecessor, bitsPerSecond });
    left -= bitsPerSecond;
    if (left === 0) break;
  }
  return claims;
}

/**
 * A lane is ended: what others claimed of it that were ended before is not theirs any more, unless they may still begin
 * before they hear of that, or others claimed it of them. @returns those that wait for it no longer
 */
export function dropClaims(lane: Lane, now: number): Lane[] {
  const until = Math.max(now, lane.heldBackUntilNanoseconds);
  const dropped = lane.successors.filter(
    ({ isClosed, claims, heldBackUntilNanoseconds }) =>
      isClosed && claims.length === 0 && heldBackUntilNanoseconds <= until,
  );
  for (const successor of dropped) {
    lane.successors.splice(lane.successors.indexOf(successor), 1);
    successor.predecessors.splice(successor.predecessors.indexOf(lane), 1);
  }
  const kept = lane.claims.filter(({ successor }) => !dropped.includes(successor));
  lane.claims.splice(0, lane.claims.length, ...kept);
  return dropped;
}

/**
 * A lane has ended, and so have all before it: what others claimed of it is theirs, and they wait for it no longer.
 * @returns what of its charge is left on each resource of its path
 */
export function settleClaims(lane: Lane): number[] {
  const left = lane.charges ?? lane.path.map(() => lane.rateBitsPerSecond);
  for (const { successor, index, bitsPerSecond } of lane.claims) {
    const [mine, theirs] = [lane.path.indexOf(index), successor.path.indexOf(index)];
    left[mine] = (left[mine] as number) - bitsPerSecond;
    const charges = successor.charges as number[];
    charges[theirs] = (charges[theirs] as number) + bitsPerSecond;
  }
  lane.claims.length = 0;
  for (const { predecessors } of lane.successors) predecessors.splice(predecessors.indexOf(lane), 1);
  return left;
}
