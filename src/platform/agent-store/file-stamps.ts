/**
 * What each file of a file set looked like when the store last wrote or verified it: its size, modification time and
 * inode. A file that looks different was touched by somebody else. Three numbers a file, no objects.
 */

/** Of one file. `modifiedMilliseconds` has the fraction that the file system gives. */
export interface FileStamp {
  readonly sizeBytes: number;
  readonly modifiedMilliseconds: number;
  readonly inode: number;
}

/** Numbers that one stamp takes in flat arrays: size, time, inode. */
export const stampNumbers = 3;

/** By the file's index in its manifest. */
export class FileStamps {
  #numbers = new Float64Array(0);

  has(file: number): boolean {
    const inode = this.#numbers[file * stampNumbers + 2];
    return inode !== undefined && inode !== 0;
  }

  get(file: number): FileStamp | undefined {
    if (!this.has(file)) return undefined;
    return stampAt(this.#numbers, file);
  }

  set(file: number, stamp: FileStamp): void {
    const place = file * stampNumbers;
    if (place + stampNumbers > this.#numbers.length) {
      const larger = new Float64Array(Math.max(place + stampNumbers, this.#numbers.length * 2, 16 * stampNumbers));
      larger.set(this.#numbers);
      this.#numbers = larger;
    }
    this.#numbers[place] = stamp.sizeBytes;
    this.#numbers[place + 1] = stamp.modifiedMilliseconds;
    this.#numbers[place + 2] = stamp.inode;
  }

  delete(file: number): void {
    if (this.has(file)) this.#numbers.fill(0, file * stampNumbers, (file + 1) * stampNumbers);
  }

  /** Every file that has one, in rising order. */
  *files(): Generator<number> {
    for (let file = 0; file * stampNumbers < this.#numbers.length; file += 1) if (this.has(file)) yield file;
  }
}

/** The stamp at a place of a flat array; its inode is 0 or NaN if there is none. */
export function stampAt(numbers: Float64Array, place: number): FileStamp {
  return {
    sizeBytes: numbers[place * stampNumbers] ?? 0,
    modifiedMilliseconds: numbers[place * stampNumbers + 1] ?? 0,
    inode: numbers[place * stampNumbers + 2] ?? 0,
  };
}

export function isSameStamp(one: FileStamp, other: FileStamp): boolean {
  return (
    one.sizeBytes === other.sizeBytes &&
    one.modifiedMilliseconds === other.modifiedMilliseconds &&
    one.inode === other.inode
  );
}
