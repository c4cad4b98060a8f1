/**
 * How long bytes are under way between sites, there and back, as agents found when they reached each other. Who is far
 * away is not slow for it; and a lane that is to go on is told so when its source has sent all, not when its target says
 * that all has come.
 *
 * Agents that are busy find more than there is: of the last few findings on a way the least is believed.
 */
import type { Member, Place } from "./world.ts";

/** So many of the last findings on a way are kept. */
const kept = 8;
/** Ways are told apart by the numbers of their two sites. */
const sitesAtMost = 1 << 20;

export class Ways {
  readonly #found = new Map<number, number[]>();
  readonly #nearest = new Map<Place, number>();

  /** An agent has reached another one. */
  reached(from: Member, to: Member, roundTripNanoseconds: number): void {
    const key = wayOf(from.place, to.place);
    if (key === undefined) return;
    this.#noteNearest(from.place as Place, roundTripNanoseconds);
    this.#noteNearest(to.place as Place, roundTripNanoseconds);
    const found = this.#found.get(key);
    if (found === undefined) {
      this.#found.set(key, [roundTripNanoseconds]);
      return;
    }
    if (found.length === kept) found.shift();
    found.push(roundTripNanoseconds);
  }

  /** There and back, in nanoseconds; 0 within a site, and where nobody has found anything yet. */
  roundTripNanoseconds(source: Member, target: Member): number {
    if (this.#found.size === 0) return 0;
    const key = wayOf(source.place, target.place);
    if (key === undefined) return 0;
    const found = this.#found.get(key);
    if (found !== undefined) return Math.min(...found);
    return Math.min(this.#nearest.get(source.place as Place) ?? 0, this.#nearest.get(target.place as Place) ?? 0);
  }

  /** How far away the nearest site is that was reached from a site. */
  #noteNearest(place: Place, roundTripNanoseconds: number): void {
    const known = this.#nearest.get(place) ?? Infinity;
    if (roundTripNanoseconds < known) this.#nearest.set(place, roundTripNanoseconds);
  }
}

/** The same in both directions; undefined where there is none. */
function wayOf(one: Place | undefined, other: Place | undefined): number | undefined {
  if (one === undefined || other === undefined || one === other) return undefined;
  return Math.min(one.index, other.index) * sitesAtMost + Math.max(one.index, other.index);
}
