/**
 * A binary heap: the first of many by a given order, in O(log n) for each change.
 *
 * Where the order leaves two items equal, which comes first depends on the history of calls only,
 * so a given history always gives the same result.
 */

/** `isBefore(a, b)`: whether `a` must come out before `b`; a strict order. */
export class BinaryHeap<T> {
  readonly #items: T[] = [];
  readonly #isBefore: (a: T, b: T) => boolean;

  constructor(isBefore: (a: T, b: T) => boolean) {
    this.#isBefore = isBefore;
  }

  get size(): number {
    return this.#items.length;
  }

  /** The first item, which stays; undefined if there is none. */
  peek(): T | undefined {
    return this.#items[0];
  }

  push(item: T): void {
    const items = this.#items;
    let index = items.length;
    items.push(item);
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = items[parentIndex] as T;
      if (!this.#isBefore(item, parent)) break;
      items[index] = parent;
      index = parentIndex;
    }
    items[index] = item;
  }

  /** Takes out the first item; undefined if there is none. */
  pop(): T | undefined {
    const items = this.#items;
    const first = items[0];
    const last = items.pop();
    if (items.length > 0) this.#sink(last as T);
    return first;
  }

  clear(): void {
    this.#items.length = 0;
  }

  /** Puts `item` at the root, whose place is free, and lets it sink to where it belongs. */
  #sink(item: T): void {
    const items = this.#items;
    const size = items.length;
    let index = 0;
    for (;;) {
      let childIndex = 2 * index + 1;
      if (childIndex >= size) break;
      const right = childIndex + 1;
      if (right < size && this.#isBefore(items[right] as T, items[childIndex] as T)) {
        childIndex = right;
      }
      const child = items[childIndex] as T;
      if (!this.#isBefore(child, item)) break;
      items[index] = child;
      index = childIndex;
    }
    items[index] = item;
  }
}
