/**
 * The ledger: for every resource its bandwidth capability and what is allocated of it (claims 4, 25, 28, 33).
 * A lane is charged on every resource of its path or on none; no charge takes a resource over its capability.
 * Only a capability that was lowered can leave a resource over it, until `excess` has been worked off.
 *
 * Free bandwidth = capability - allocated. A resource without a stated capability is in the ledger as unlimited.
 */

export interface LedgerEntry {
  readonly name: string;
  /** Bits per second on the wire; Infinity where none is stated. */
  capability: number;
  allocated: number;
  /** Bytes of payload that lanes over it have brought, by the word of their targets. Only ever rises. */
  carriedBytes: number;
}

export class Ledger {
  readonly #entries: LedgerEntry[] = [];
  readonly #indexByName = new Map<string, number>();

  /** The index of a resource; it is entered as unlimited if it was not known. */
  resource(name: string): number {
    const known = this.#indexByName.get(name);
    if (known !== undefined) return known;
    const index = this.#entries.length;
    this.#entries.push({ name, capability: Infinity, allocated: 0, carriedBytes: 0 });
    this.#indexByName.set(name, index);
    return index;
  }

  find(name: string): number | undefined {
    return this.#indexByName.get(name);
  }

  entry(index: number): LedgerEntry {
    const entry = this.#entries[index];
    if (entry === undefined) throw new RangeError(`no resource ${index}`);
    return entry;
  }

  entries(): readonly LedgerEntry[] {
    return this.#entries;
  }

  setCapability(index: number, bitsPerSecond: number): void {
    this.entry(index).capability = bitsPerSecond;
  }

  /** What is free on one resource. Never negative. */
  freeOn(index: number): number {
    const entry = this.#entries[index] as LedgerEntry;
    const free = entry.capability - entry.allocated;
    return free < 0 ? 0 : free;
  }

  allocatedOn(index: number): number {
    return (this.#entries[index] as LedgerEntry).allocated;
  }

  capabilityOn(index: number): number {
    return (this.#entries[index] as LedgerEntry).capability;
  }

  /** What is free on every resource of the path, in bits per second (Infinity: nothing on it is limited). Never negative. */
  free(path: readonly number[]): number {
    let free = Infinity;
    for (const index of path) {
      const entry = this.#entries[index] as LedgerEntry;
      const here = entry.capability - entry.allocated;
      if (here < free) free = here;
    }
    return free < 0 ? 0 : free;
  }

  /** What the path could carry if it were idle. */
  capabilityOf(path: readonly number[]): number {
    let least = Infinity;
    for (const index of path) {
      const capability = (this.#entries[index] as LedgerEntry).capability;
      if (capability < least) least = capability;
    }
    return least;
  }

  /** Charges the path. @throws RangeError when a resource would go over its capability: nothing is charged then. */
  allocate(path: readonly number[], bitsPerSecond: number): void {
    if (bitsPerSecond > this.free(path)) {
      throw new RangeError(`a charge of ${bitsPerSecond} bit/s does not fit the path`);
    }
    for (const index of path) this.entry(index).allocated += bitsPerSecond;
  }

  release(path: readonly number[], bitsPerSecond: number): void {
    for (const index of path) {
      const entry = this.entry(index);
      if (entry.allocated < bitsPerSecond) throw new RangeError(`${entry.name}: released more than was allocated`);
      entry.allocated -= bitsPerSecond;
    }
  }

  /** Charges again what a lane keeps of its earlier, higher charge, also where a capability was lowered below it. */
  retain(path: readonly number[], bitsPerSecond: number): void {
    for (const index of path) this.entry(index).allocated += bitsPerSecond;
  }

  /** Counts what has come over the path; a target that claims more than can be counted does not break the count. */
  carry(path: readonly number[], bytes: number): void {
    for (const index of path) {
      const entry = this.entry(index);
      entry.carriedBytes = Math.min(Number.MAX_SAFE_INTEGER, entry.carriedBytes + bytes);
    }
  }

  /** By how much the worst resource of the path is over its capability: allocated / capability, or 1 if none is. */
  overload(path: readonly number[]): number {
    let worst = 1;
    for (const index of path) {
      const { capability, allocated } = this.entry(index);
      if (allocated > capability) worst = Math.max(worst, allocated / capability);
    }
    return worst;
  }
}
