/**
 * The ledger: for every resource its bandwidth capability and what is allocated of it (claims 4, 25, 28, 33).
 * A lane is charged on every resource of its path or on none; no charge takes a resource over its capability.
 * Only a capability that was lowered can leave a resource over it, until `excess` has been worked off.
 *
 * Free bandwidth = capability - allocated. A resource without a stated capability is in the ledger as unlimited.
 */

/** Numbers of each resource, side by side: every choice reads several of many resources. */
const stride = 4;
const capabilityAt = 0;
const allocatedAt = 1;
/** What running lanes whose end is foreseen offer to those that follow them (`succession.ts`). */
const offeredAt = 2;
/** What an interface counts for, by what was seen of it (`pace.ts`); Infinity: all that it declares. */
const limitAt = 3;

/** One resource of a ledger, as it stands now. */
export interface LedgerEntry {
  readonly name: string;
  /** Bits per second on the wire; Infinity where none is stated. */
  readonly capability: number;
  readonly allocated: number;
  /** Bytes of payload that lanes over it have brought, by the word of their targets. Only ever rises. */
  readonly carriedBytes: number;
}

const firstLength = 64;

export class Ledger {
  readonly #names: string[] = [];
  readonly #indexByName = new Map<string, number>();
  #numbers = new Float64Array(stride * firstLength);
  #carriedBytes = new Float64Array(firstLength);

  /** The index of a resource; it is entered as unlimited if it was not known. */
  resource(name: string): number {
    const known = this.#indexByName.get(name);
    if (known !== undefined) return known;
    const index = this.#names.length;
    if (index === this.#carriedBytes.length) {
      this.#numbers = doubled(this.#numbers);
      this.#carriedBytes = doubled(this.#carriedBytes);
    }
    this.#names.push(name);
    this.#numbers[stride * index + capabilityAt] = Infinity;
    this.#numbers[stride * index + limitAt] = Infinity;
    this.#indexByName.set(name, index);
    return index;
  }

  find(name: string): number | undefined {
    return this.#indexByName.get(name);
  }

  /** How many resources there are: their indices are below this. */
  get size(): number {
    return this.#names.length;
  }

  /** A resource as it stands at this moment. @throws RangeError when there is none with this index */
  entry(index: number): LedgerEntry {
    const name = this.#names[index];
    if (name === undefined) throw new RangeError(`no resource ${index}`);
    const [capability, allocated] = [this.capabilityOn(index), this.allocatedOn(index)];
    return { name, capability, allocated, carriedBytes: this.#carriedBytes[index] as number };
  }

  entries(): LedgerEntry[] {
    return this.#names.map((_, index) => this.entry(index));
  }

  setCapability(index: number, bitsPerSecond: number): void {
    this.#numbers[stride * index + capabilityAt] = bitsPerSecond;
  }

  /** What is free on one resource. Never negative. */
  freeOn(index: number): number {
    const at = stride * index;
    const free = (this.#numbers[at + capabilityAt] as number) - (this.#numbers[at + allocatedAt] as number);
    return free < 0 ? 0 : free;
  }

  /** What is offered on one resource to lanes that follow others there. */
  offeredOn(index: number): number {
    return this.#numbers[stride * index + offeredAt] as number;
  }

  /** Offers so much more of what is allocated on a resource; less, where it is negative. */
  offer(index: number, bitsPerSecond: number): void {
    this.#numbers[stride * index + offeredAt] = this.offeredOn(index) + bitsPerSecond;
  }

  allocatedOn(index: number): number {
    return this.#numbers[stride * index + allocatedAt] as number;
  }

  capabilityOn(index: number): number {
    return this.#numbers[stride * index + capabilityAt] as number;
  }

  /** What an interface counts for at most; Infinity: all that it declares. */
  limitOn(index: number): number {
    return this.#numbers[stride * index + limitAt] as number;
  }

  setLimit(index: number, bitsPerSecond: number): void {
    this.#numbers[stride * index + limitAt] = bitsPerSecond;
  }

  /** What an interface can do, by what it declares and what was seen of it. */
  ableOn(index: number): number {
    const at = stride * index;
    return Math.min(this.#numbers[at + capabilityAt] as number, this.#numbers[at + limitAt] as number);
  }

  /** What of that is free, or will be when lanes end that offer it; never negative. */
  ableFreeOn(index: number): number {
    const numbers = this.#numbers;
    const at = stride * index;
    const allocated = numbers[at + allocatedAt] as number;
    const free = (numbers[at + capabilityAt] as number) - allocated;
    const offered = numbers[at + offeredAt] as number;
    const room = (free < 0 ? 0 : free) + offered;
    const limit = numbers[at + limitAt] as number;
    return limit === Infinity ? room : Math.max(0, Math.floor(Math.min(room, limit + offered - allocated)));
  }

  /** What is free on every resource of the path, in bits per second (Infinity: nothing on it is limited). Never negative. */
  free(path: readonly number[]): number {
    let free = Infinity;
    for (const index of path) {
      const here = this.freeOn(index);
      if (here < free) free = here;
    }
    return free;
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
      const capability = this.capabilityOn(index);
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
    for (const index of path) {
      const left = this.allocatedOn(index) - bitsPerSecond;
      if (left < 0) throw new RangeError(`${this.entry(index).name}: released more than was allocated`);
      this.#numbers[stride * index + allocatedAt] = left;
    }
  }

  /** Releases another amount on each resource of the path. */
  releaseEach(path: readonly number[], bitsPerSecond: readonly number[]): void {
    for (const [place, index] of path.entries()) this.release([index], bitsPerSecond[place] as number);
  }

  /** Charges again what a lane keeps of its earlier, higher charge, also where a capability was lowered below it. */
  retain(path: readonly number[], bitsPerSecond: number): void {
    for (const index of path) this.#numbers[stride * index + allocatedAt] = this.allocatedOn(index) + bitsPerSecond;
  }

  /** Counts what has come over the path; a target that claims more than can be counted does not break the count. */
  carry(path: readonly number[], bytes: number): void {
    for (const index of path) {
      const carried = (this.#carriedBytes[index] as number) + bytes;
      this.#carriedBytes[index] = Math.min(Number.MAX_SAFE_INTEGER, carried);
    }
  }

  /** By how much the worst resource of the path is over its capability: allocated / capability, or 1 if none is. */
  overload(path: readonly number[]): number {
    let worst = 1;
    for (const index of path) {
      const [capability, allocated] = [this.capabilityOn(index), this.allocatedOn(index)];
      if (allocated > capability) worst = Math.max(worst, allocated / capability);
    }
    return worst;
  }
}

function doubled(numbers: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const more = new Float64Array(2 * numbers.length);
  more.set(numbers);
  return more;
}
