/**
 * The simulator's books: every byte that left a source is accounted for, and every rule that was broken is written down.
 */
import type { BlockOrderName } from "../protocol/parts.ts";

/** Violations kept word for word; further ones are only counted. */
const keptViolations = 100;

export interface ByteCounts {
  /** Of blocks that were sent whole. */
  sentBytes: number;
  /** Of blocks that were cut off under way. */
  cutBytes: number;
  /** Arrived, verified and new to the target. */
  storedBytes: number;
  /** Arrived and verified, but the target held them already (or its disk no longer wants them). */
  repeatedBytes: number;
  /** Arrived and wrong. */
  badBytes: number;
  /** Their lane or target was gone when they arrived. */
  droppedBytes: number;
  /** Sent to see whether it works. */
  probedBytes: number;
  /** On the way now. */
  underWayBytes: number;
}

export class Account {
  readonly content: ByteCounts = newCounts();
  readonly manifest: ByteCounts = newCounts();
  /** Bytes of content that left a site for another one, by the site that they left. */
  readonly bytesOutOfSite = new Map<string, number>();
  /** Blocks and pieces that arrived and were verified. */
  deliveries = 0;
  /** Portions that agents were told to pull. */
  transfers = 0;
  readonly violations: string[] = [];
  #furtherViolations = 0;

  of(order: BlockOrderName): ByteCounts {
    return order === "content" ? this.content : this.manifest;
  }

  /** A block arrived; what became of it. */
  settle(
    order: BlockOrderName,
    lengthBytes: number,
    outcome: "storedBytes" | "repeatedBytes" | "badBytes" | "droppedBytes" | "probedBytes",
  ): void {
    const counts = this.of(order);
    counts.underWayBytes -= lengthBytes;
    counts[outcome] += lengthBytes;
  }

  leftSite(site: string | undefined, lengthBytes: number): void {
    // Publishers that hand over may not say where they are.
    const from = site ?? "";
    this.bytesOutOfSite.set(from, (this.bytesOutOfSite.get(from) ?? 0) + lengthBytes);
  }

  /** Bytes of content that went from one site to another. */
  get betweenSitesBytes(): number {
    let bytes = 0;
    for (const out of this.bytesOutOfSite.values()) bytes += out;
    return bytes;
  }

  violation(text: string): void {
    if (this.violations.length < keptViolations) this.violations.push(text);
    else this.#furtherViolations += 1;
  }

  /** All that is wrong, with the books checked. */
  close(): string[] {
    const found = [...this.violations];
    for (const order of ["content", "manifest"] as const) {
      const counts = this.of(order);
      const known =
        counts.storedBytes + counts.repeatedBytes + counts.badBytes + counts.droppedBytes + counts.probedBytes;
      if (counts.sentBytes !== known + counts.underWayBytes) {
        found.push(
          `of ${String(counts.sentBytes)} bytes of ${order} sent, ${String(known + counts.underWayBytes)} are accounted for`,
        );
      }
    }
    if (this.#furtherViolations > 0) found.push(`and ${String(this.#furtherViolations)} more`);
    return found;
  }
}

function newCounts(): ByteCounts {
  return {
    sentBytes: 0,
    cutBytes: 0,
    storedBytes: 0,
    repeatedBytes: 0,
    badBytes: 0,
    droppedBytes: 0,
    probedBytes: 0,
    underWayBytes: 0,
  };
}
