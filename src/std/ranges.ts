/**
 * A set of integers, kept as ranges: what an agent holds, what is still missing, what is on its way.
 *
 * Memory follows the number of ranges, not of integers. The ranges are half-open, sorted, disjoint and
 * never touch: all boundaries s0 < e0 < s1 < e1 ... stand in one strictly rising array. So one binary search
 * answers everything: with p the place of the first boundary above i, i is in the set exactly if p is odd.
 */

/** Integers of 0..2^53 - 1. Methods that take a range throw RangeError unless 0 <= start <= end, safe integers. */
export class RangeSet {
  #flat: number[] = [];
  #count = 0;

  /** The integers of start..end - 1. */
  static of(start: number, end: number): RangeSet {
    const set = new RangeSet();
    set.add(start, end);
    return set;
  }

  /** From [s0, e0, s1, e1, ...]. Throws RangeError unless sorted, disjoint, each range non-empty; ranges that touch are merged. */
  static fromFlat(flat: readonly number[]): RangeSet {
    if (flat.length % 2 !== 0) throw new RangeError("a range without an end");
    const set = new RangeSet();
    let previousEnd = 0;
    for (let index = 0; index < flat.length; index += 2) {
      const start = flat[index] ?? 0;
      const end = flat[index + 1] ?? 0;
      checkRange(start, end);
      if (start === end || start < previousEnd) {
        throw new RangeError("ranges must be non-empty, sorted and disjoint");
      }
      set.#append(start, end);
      previousEnd = end;
    }
    return set;
  }

  /** How many integers are in the set. */
  get count(): number {
    return this.#count;
  }

  get rangeCount(): number {
    return this.#flat.length / 2;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** A copy, as [s0, e0, s1, e1, ...]. */
  toFlat(): number[] {
    return this.#flat.slice();
  }

  clone(): RangeSet {
    const copy = new RangeSet();
    copy.#flat = this.#flat.slice();
    copy.#count = this.#count;
    return copy;
  }

  clear(): void {
    this.#flat = [];
    this.#count = 0;
  }

  equals(other: RangeSet): boolean {
    const flat = this.#flat;
    const otherFlat = other.#flat;
    if (this.#count !== other.#count || flat.length !== otherFlat.length) return false;
    return flat.every((boundary, index) => boundary === otherFlat[index]);
  }

  /** Puts start..end - 1 in. O(log ranges + boundaries moved). */
  add(start: number, end: number): void {
    checkRange(start, end);
    if (start === end) return;
    const from = this.#placeAtLeast(start);
    const to = this.#placeAbove(end);
    const keptStart = from % 2 === 1 ? (this.#flat[from - 1] ?? 0) : start;
    const keptEnd = to % 2 === 1 ? (this.#flat[to] ?? 0) : end;
    this.#count += keptEnd - keptStart - this.#countOfPairs(from >> 1, (to + 1) >> 1);
    this.#replace(from, to, from % 2 === 0 ? start : -1, to % 2 === 0 ? end : -1);
  }

  /** Takes start..end - 1 out. O(log ranges + boundaries moved). */
  remove(start: number, end: number): void {
    checkRange(start, end);
    if (start === end) return;
    const from = this.#placeAtLeast(start);
    const to = this.#placeAbove(end);
    const leftBefore = from % 2 === 1 ? start - (this.#flat[from - 1] ?? 0) : 0;
    const leftAfter = to % 2 === 1 ? (this.#flat[to] ?? 0) - end : 0;
    this.#count += leftBefore + leftAfter - this.#countOfPairs(from >> 1, (to + 1) >> 1);
    this.#replace(from, to, from % 2 === 1 ? start : -1, to % 2 === 1 ? end : -1);
  }

  addAll(other: RangeSet): void {
    if (other === this) return;
    // One merge is cheaper than many insertions that each move the rest.
    if (other.rangeCount > 8 && other.rangeCount * 8 > this.rangeCount) {
      this.#take(this.union(other));
    } else {
      other.forEach((start, end) => {
        this.add(start, end);
      });
    }
  }

  removeAll(other: RangeSet): void {
    if (other === this) {
      this.clear();
    } else if (other.rangeCount > 8 && other.rangeCount * 8 > this.rangeCount) {
      this.#take(this.difference(other));
    } else {
      other.forEach((start, end) => {
        this.remove(start, end);
      });
    }
  }

  has(index: number): boolean {
    return this.#placeAbove(index) % 2 === 1;
  }

  /** Whether all of start..end - 1 are in the set; so an empty range always is. */
  hasRange(start: number, end: number): boolean {
    if (start >= end) return true;
    const place = this.#placeAbove(start);
    return place % 2 === 1 && (this.#flat[place] ?? 0) >= end;
  }

  /** Whether any of start..end - 1 is in the set. */
  overlaps(start: number, end: number): boolean {
    if (start >= end) return false;
    const place = this.#placeAbove(start);
    if (place % 2 === 1) return true;
    return place < this.#flat.length && (this.#flat[place] ?? 0) < end;
  }

  /** The first integer that is at least `start` and not in the set. */
  contiguousEnd(start: number): number {
    const place = this.#placeAbove(start);
    return place % 2 === 1 ? (this.#flat[place] ?? 0) : start;
  }

  /** The same as `contiguousEnd`, under the name that goes with `nextIn`. */
  nextNotIn(from: number): number {
    return this.contiguousEnd(from);
  }

  /** The first integer of the set that is at least `from`, or -1. */
  nextIn(from: number): number {
    const place = this.#placeAbove(from);
    if (place % 2 === 1) return from;
    return this.#flat[place] ?? -1;
  }

  /** The least integer of the set, or -1. */
  first(): number {
    return this.#flat[0] ?? -1;
  }

  /** The greatest integer of the set, or -1. */
  last(): number {
    return (this.#flat.at(-1) ?? 0) - 1;
  }

  /** The k-th integer of the set, counted from 0. O(ranges). Throws RangeError unless 0 <= k < count. */
  nth(k: number): number {
    if (!Number.isInteger(k) || k < 0 || k >= this.#count) {
      throw new RangeError(`a set of ${String(this.#count)} has no integer ${String(k)}`);
    }
    let skipped = 0;
    for (let index = 0; ; index += 2) {
      const start = this.#flat[index] ?? 0;
      const length = (this.#flat[index + 1] ?? 0) - start;
      if (k < skipped + length) return start + (k - skipped);
      skipped += length;
    }
  }

  /** The first `count` integers, or all if there are fewer. */
  take(count: number): RangeSet {
    const taken = new RangeSet();
    for (let index = 0; index < this.#flat.length && taken.#count < count; index += 2) {
      const start = this.#flat[index] ?? 0;
      const end = Math.min(this.#flat[index + 1] ?? 0, start + (count - taken.#count));
      taken.#append(start, end);
    }
    return taken;
  }

  /** What is in both. O(log ranges + ranges in the part where both have any). */
  intersection(other: RangeSet): RangeSet {
    const result = new RangeSet();
    if (this.isEmpty || other.isEmpty) return result;
    const left = this.#flat;
    const right = other.#flat;
    let leftIndex = pairStart(this.#placeAbove(other.first()));
    let rightIndex = pairStart(other.#placeAbove(this.first()));
    while (leftIndex < left.length && rightIndex < right.length) {
      const leftEnd = left[leftIndex + 1] ?? 0;
      const rightEnd = right[rightIndex + 1] ?? 0;
      const start = Math.max(left[leftIndex] ?? 0, right[rightIndex] ?? 0);
      const end = Math.min(leftEnd, rightEnd);
      if (start < end) result.#append(start, end);
      if (leftEnd <= rightEnd) leftIndex += 2;
      else rightIndex += 2;
    }
    return result;
  }

  /** What is in this set and not in the other. O(ranges of both). */
  difference(other: RangeSet): RangeSet {
    const result = new RangeSet();
    const right = other.#flat;
    let rightIndex = pairStart(other.#placeAbove(Math.max(0, this.first())));
    for (let leftIndex = 0; leftIndex < this.#flat.length; leftIndex += 2) {
      let start = this.#flat[leftIndex] ?? 0;
      const end = this.#flat[leftIndex + 1] ?? 0;
      while (rightIndex < right.length && (right[rightIndex + 1] ?? 0) <= start) {
        rightIndex += 2;
      }
      while (rightIndex < right.length && (right[rightIndex] ?? 0) < end) {
        if ((right[rightIndex] ?? 0) > start) result.#append(start, right[rightIndex] ?? 0);
        start = right[rightIndex + 1] ?? 0;
        // A range that goes on beyond this end may cut the next one too.
        if (start >= end) break;
        rightIndex += 2;
      }
      if (start < end) result.#append(start, end);
    }
    return result;
  }

  /** What is in either. O(ranges of both). */
  union(other: RangeSet): RangeSet {
    const result = new RangeSet();
    const left = this.#flat;
    const right = other.#flat;
    let leftIndex = 0;
    let rightIndex = 0;
    while (leftIndex < left.length || rightIndex < right.length) {
      const leftStart = left[leftIndex] ?? Infinity;
      if (leftStart <= (right[rightIndex] ?? Infinity)) {
        result.#append(leftStart, left[leftIndex + 1] ?? 0);
        leftIndex += 2;
      } else {
        result.#append(right[rightIndex] ?? 0, right[rightIndex + 1] ?? 0);
        rightIndex += 2;
      }
    }
    return result;
  }

  /** What of start..end - 1 is not in the set. O(log ranges + ranges within). */
  complement(start: number, end: number): RangeSet {
    checkRange(start, end);
    const missing = new RangeSet();
    let position = start;
    for (
      let index = pairStart(this.#placeAbove(start));
      index < this.#flat.length && (this.#flat[index] ?? 0) < end;
      index += 2
    ) {
      if ((this.#flat[index] ?? 0) > position) missing.#append(position, this.#flat[index] ?? 0);
      position = this.#flat[index + 1] ?? 0;
    }
    if (position < end) missing.#append(position, end);
    return missing;
  }

  /** Each range as [start, end], in rising order. The set must not be changed meanwhile. */
  *ranges(): Generator<[start: number, end: number]> {
    for (let index = 0; index < this.#flat.length; index += 2) {
      yield [this.#flat[index] ?? 0, this.#flat[index + 1] ?? 0];
    }
  }

  /** The same without an object for each range. The set must not be changed meanwhile. */
  forEach(visit: (start: number, end: number) => void): void {
    const flat = this.#flat;
    for (let index = 0; index < flat.length; index += 2) {
      visit(flat[index] ?? 0, flat[index + 1] ?? 0);
    }
  }

  #take(other: RangeSet): void {
    this.#flat = other.#flat;
    this.#count = other.#count;
  }

  /** Adds a non-empty range that starts no earlier than the last one does. */
  #append(start: number, end: number): void {
    const flat = this.#flat;
    const lastEnd = flat.at(-1) ?? -1;
    if (start > lastEnd) {
      flat.push(start, end);
      this.#count += end - start;
    } else if (end > lastEnd) {
      flat[flat.length - 1] = end;
      this.#count += end - lastEnd;
    }
  }

  /** The integers in the pairs of boundaries from..to - 1. */
  #countOfPairs(from: number, to: number): number {
    let count = 0;
    for (let pair = from; pair < to; pair += 1) {
      count += (this.#flat[2 * pair + 1] ?? 0) - (this.#flat[2 * pair] ?? 0);
    }
    return count;
  }

  /** Puts the boundaries given (-1: none) where those at from..to - 1 are. */
  #replace(from: number, to: number, first: number, second: number): void {
    const flat = this.#flat;
    const length = flat.length;
    const more = (first >= 0 ? 1 : 0) + (second >= 0 ? 1 : 0) - (to - from);
    // Not by splice, which makes an array of what it takes out.
    if (more < 0) {
      if (to < length) flat.copyWithin(to + more, to);
      flat.length = length + more;
    } else if (more > 0) {
      for (let index = length; index < length + more; index += 1) flat.push(0);
      if (to < length) flat.copyWithin(to + more, to, length);
    }
    let place = from;
    if (first >= 0) {
      flat[place] = first;
      place += 1;
    }
    if (second >= 0) flat[place] = second;
  }

  /** The place of the first boundary that is at least `value`. */
  #placeAtLeast(value: number): number {
    return this.#placeAbove(value - 1);
  }

  /** The place of the first boundary above `value`. */
  #placeAbove(value: number): number {
    const flat = this.#flat;
    let low = 0;
    let high = flat.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((flat[middle] ?? 0) > value) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** The place where the pair starts that a boundary's place belongs to. */
function pairStart(place: number): number {
  return place & ~1;
}

function checkRange(start: number, end: number): void {
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || start > end) {
    throw new RangeError(`${String(start)}..${String(end)} is not a range of integers`);
  }
}
