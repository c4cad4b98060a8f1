/**
 * The ledger: for every resource its bandwidth capability and what is allocated of it (claims 4, 25, 28, 33).
 * A lane is charged on every resource of its path or on none; no charge takes a resource over its capability.
 * Only a capability that was lowered can leave a resource over it, until `excess` has been worked off.
 *
 * Free bandwidth = capability - allocated. A resource without a stated capability is in the ledger as unlimited.
 */

/** One resource of a ledger, as it stands now. */
export class LedgerEntry {
  readonly name: string;
  readonly #numbers: Numbers;
  readonly #index: number;

  constructor(name: string, numbers: Numbers, index: number) {
    this.name = name;
    this.#numbers = numbers;
    this.#index = index;
  }

  /** Bits per second on the wire; Infinity where none is stated. */
  get capability(): number {
    return this.#numbers.capability[this.#index] as number;
  }

  set capability(bitsPerSecond: number) {
    this.#numbers.capability[this.#index] = bitsPerSecond;
  }

  get allocated(): number {
    return this.#numbers.allocated[this.#index] as number;
  }

  /** Bytes of payload that lanes over it have brought, by the word of their targets. Only ever rises. */
  get carriedBytes(): number {
    return this.#numbers.carriedBytes[this.#index] as number;
  }
}

/** By index of a resource; side by side, since every choice reads many. */
interface Numbers {
  capability: Float64Array;
  allocated: Float64Array;
  carriedBytes: Float64Array;
  /** What running lanes whose end is foreseen offer to those that follow them (`succession.ts`). */
  offered: Float64Array;
}

const firstLength = 64;

export class Ledger {
  readonly #entries: LedgerEntry[] = [];
  readonly #indexByName = new Map<string, number>();
  readonly #numbers: Numbers = {
    capability: new Float64Array(firstLength),
    allocated: new Float64Array(firstLength),
    carriedBytes: new Float64Array(firstLength),
    offered: new Float64Array(firstLength),
  };

  /** The index of a resource; it is entered as unlimited if it was not known. */
  resource(name: string): number {
    const known = this.#indexByName.get(name);
    if (known !== undefined) return known;
    const index = this.#entries.length;
    const numbers = this.#numbers;
    if (index === numbers.capability.length) {
      numbers.capability = doubled(numbers.capability);
      numbers.allocated = doubled(numbers.allocated);
      numbers.carriedBytes = doubled(numbers.carriedBytes);
      numbers.offered = doubled(numbers.offered);
    }
    this.#entries.push(new LedgerEntry(name, numbers, index));
    numbers.capability[index] = Infinity;
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
    const { capability, allocated } = this.#numbers;
    const free = (capability[index] as number) - (allocated[index] as number);
    return free < 0 ? 0 : free;
  }

  /** What is offered on one resource to lanes that follow others there. */
  offeredOn(index: number): number {
    return this.#numbers.offered[index] as number;
  }

  /** Offers so much more of what is allocated on a resource; less, where it is negative. */
  offer(index: number, bitsPerSecond: number): void {
    const { offered } = this.#numbers;
    offered[index] = (offered[index] as number) + bitsPerSecond;
  }

  allocatedOn(index: number): number {
    return this.#numbers.allocated[index] as number;
  }

  capabilityOn(index: number): number {
    return this.#numbers.capability[index] as number;
  }

  /** What is free on every resource of the path, in bits per second (Infinity: nothing on it is limited). Never negative. */
  free(path: readonly number[]): number {
    const { capability, allocated } = this.#numbers;
    let free = Infinity;
    for (const index of path) {
      const here = (capability[index] as number) - (allocated[index] as number);
      if (here < free) free = here;
    }
    return free < 0 ? 0 : free;
  }

  /** What is free or offered on every resource of the path: what some lane or other might get. */
  room(path: readonly number[]): number {
    let room = Infinity;
    for (const index of path) room = Math.min(room, this.roomOn(index));
    return room;
  }

  /** The same on one resource. */
  roomOn(index: number): number {
    return this.freeOn(index) + this.offeredOn(index);
  }

  /** What the path could carry if it were idle. */
  capabilityOf(path: readonly number[]): number {
    let least = Infinity;
    for (const index of path) {
      const capability = this.#numbers.capability[index] as number;
      if (capability < least) least = capability;
    }
    return least;
  }

  /** Charges the path. @throws RangeError when a resource would go over its capability: nothing is charged then. */
  allocate(path: readonly number[], bitsPerSecond: number): void {
    if (bitsPerSecond > this.free(path)) {
      throw new RangeError(`a charge of ${bitsPerSecond} bit/s does not fit the path`);
    }
    this.retain(path, bitsPerSecond);
  }

  release(path: readonly number[], bitsPerSecond: number): void {
    const { allocated } = this.#numbers;
    for (const index of path) {
      const left = (allocated[index] as number) - bitsPerSecond;
      if (left < 0) throw new RangeError(`${this.entry(index).name}: released more than was allocated`);
      allocated[index] = left;
    }
  }

  /** Charges again what a lane keeps of its earlier, higher charge, also where a capability was lowered below it. */
  retain(path: readonly number[], bitsPerSecond: number): void {
    const { allocated } = this.#numbers;
    for (const index of path) allocated[index] = (allocated[index] as number) + bitsPerSecond;
  }

  /** Counts what has come over the path; a target that claims more than can be counted does not break the count. */
  carry(path: readonly number[], bytes: number): void {
    const { carriedBytes } = this.#numbers;
    for (const index of path) {
      carriedBytes[index] = Math.min(Number.MAX_SAFE_INTEGER, (carriedBytes[index] as number) + bytes);
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

function doubled(numbers: Float64Array): Float64Array {
  const more = new Float64Array(2 * numbers.length);
  more.set(numbers);
  return more;
}
