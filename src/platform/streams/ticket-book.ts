/**
 * What tickets have allowed, lane by lane. The highest ticket of a lane (by term, then revision) counts for its rate and
 * its end, which is a duration from when that ticket was first seen here: showing it again, on whatever connection, does
 * not extend it. What may be asked for adds up. Lanes take turns: one that follows another is served when that one has been.
 */
import type { BlockOrderName, FileSetKey } from "../../protocol/parts.ts";
import type { Ticket } from "../../protocol/ticket.ts";
import { RangeSet } from "../../std/ranges.ts";
import { TokenBucket } from "../../std/token-bucket.ts";
import { Turns } from "../../std/turns.ts";
import { nanosecondsPerMillisecond } from "../../std/units.ts";
import { maximumAllowedRanges, maximumRememberedLanes } from "./limits.ts";
import { laneCreditNanoseconds } from "./paced-sender.ts";

/** A lane as its tickets describe it. */
export interface Grant {
  readonly laneId: number;
  readonly use: Ticket["use"];
  readonly peerName: string;
  readonly bucket: TokenBucket;
  term: number;
  revision: number;
  expiresAtNanoseconds: number;
  /** By order and file set. Forgotten when no connection uses the lane any more. */
  readonly allowed: Map<string, RangeSet>;
  /** Lanes that must have been served before, by the highest ticket. */
  after: readonly number[];
  /** Of the blocks that may be asked for, those that have been sent. */
  sentBlocks: number;
  /** Connections on which the lane is open. */
  users: number;
}

export class TicketBook {
  readonly #grants = new Map<string, Grant>();
  /** Which lanes have been served. */
  readonly turns = new Turns({ maximumRemembered: maximumRememberedLanes });

  /** The lane with what this ticket adds, or why it is refused. The ticket itself has been found genuine. */
  present(ticket: Ticket, nowNanoseconds: number): Grant | string {
    const key = `${ticket.use} ${ticket.peerId} ${ticket.laneId}`;
    const expiresAtNanoseconds = nowNanoseconds + ticket.durationMilliseconds * nanosecondsPerMillisecond;
    let grant = this.#grants.get(key);
    if (grant === undefined) {
      grant = {
        laneId: ticket.laneId,
        use: ticket.use,
        peerName: ticket.peerName,
        bucket: new TokenBucket({
          rateBitsPerSecond: ticket.rateBitsPerSecond,
          creditNanoseconds: laneCreditNanoseconds,
          nowNanoseconds,
        }),
        term: ticket.term,
        revision: ticket.revision,
        expiresAtNanoseconds,
        allowed: new Map(),
        after: ticket.after ?? [],
        sentBlocks: 0,
        users: 0,
      };
      this.#remember(key, grant);
    } else if (ticket.term > grant.term || (ticket.term === grant.term && ticket.revision > grant.revision)) {
      grant.term = ticket.term;
      grant.revision = ticket.revision;
      grant.expiresAtNanoseconds = expiresAtNanoseconds;
      grant.bucket.setRate(ticket.rateBitsPerSecond, nowNanoseconds);
      grant.after = ticket.after ?? [];
    }
    if (isExpired(grant, nowNanoseconds)) return "the ticket has expired";
    return allow(grant, ticket) ? grant : "the lane's tickets allow too many separate ranges";
  }

  #remember(key: string, grant: Grant): void {
    this.#grants.set(key, grant);
    if (this.#grants.size <= maximumRememberedLanes) return;
    const oldest = this.#grants.keys().next();
    if (!oldest.done) this.#grants.delete(oldest.value);
  }
}

/** A connection has opened the lane. */
export function takeUp(grant: Grant): void {
  grant.users += 1;
}

/** A connection has ended the lane. */
export function giveUp(grant: Grant): void {
  grant.users -= 1;
  if (grant.users > 0) return;
  grant.allowed.clear();
  grant.sentBlocks = 0;
}

/** Whether all that the lane's tickets name has been sent. */
export function isServed(grant: Grant): boolean {
  let allowedBlocks = 0;
  for (const blocks of grant.allowed.values()) allowedBlocks += blocks.count;
  return grant.sentBlocks >= allowedBlocks;
}

export function isExpired(grant: Grant, nowNanoseconds: number): boolean {
  return nowNanoseconds > grant.expiresAtNanoseconds;
}

/** Whether all of start..end - 1 may be asked for. */
export function isAllowed(
  grant: Grant,
  fileSet: FileSetKey,
  order: BlockOrderName,
  start: number,
  end: number,
): boolean {
  return grant.allowed.get(`${order} ${fileSet}`)?.hasRange(start, end) ?? false;
}

function allow(grant: Grant, ticket: Ticket): boolean {
  for (const { fileSet, order, ranges } of ticket.portions) {
    const key = `${order} ${fileSet}`;
    let allowed = grant.allowed.get(key);
    if (allowed === undefined) {
      allowed = new RangeSet();
      grant.allowed.set(key, allowed);
    }
    allowed.addAll(RangeSet.fromFlat(ranges));
  }
  let rangeCount = 0;
  for (const set of grant.allowed.values()) rangeCount += set.rangeCount + 1;
  return rangeCount <= maximumAllowedRanges;
}
