/**
 * Files that a thread keeps open, least recently used ones closed first; and the rules for opening: nothing through a
 * link, nothing that is not a plain file.
 */
import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  futimesSync,
  lstatSync,
  mkdirSync,
  openSync,
  rmSync,
} from "node:fs";
import type { Stats } from "node:fs";
import { dirname, sep } from "node:path";
import { noFollow } from "../durable-file.ts";
import { DirectFiles } from "./direct-files.ts";
import { errorCode } from "./disk-errors.ts";
import { openFiles } from "./limits.ts";

/** A pipe in the place of a file must not make opening wait. */
const nonBlocking = constants.O_NONBLOCK ?? 0;
/** Times go to the system as seconds in a double, and are cut off: half a microsecond keeps the millisecond whole. */
const halfMicrosecondSeconds = 0.0000005;

export interface OpenedFile {
  readonly descriptor: number;
  /** Whether it was made by this call. */
  readonly created: boolean;
  /** Whether it was open already, and stays so until it is forgotten. */
  readonly cached: boolean;
}

export class OpenFiles {
  readonly #descriptors = new Map<string, number>();
  /** For writing past the page cache into what is open here. */
  readonly direct = new DirectFiles();
  /** Directories in which files were made. */
  readonly changedDirectories = new Set<string>();

  /** Opens for reading, or finds open. Throws ENOENT or ELOOP and the like. Stays open until it is forgotten. */
  reading(path: string): number {
    return this.#cached(path) ?? this.#keep(path, openSync(path, constants.O_RDONLY | noFollow | nonBlocking));
  }

  /** Opens for writing, making the file if need be and clearing away whatever else is in its place. */
  writing(path: string, mode: number): OpenedFile {
    const descriptor = this.#cached(path);
    return descriptor === undefined
      ? this.#openWriting(path, mode, true)
      : { descriptor, created: false, cached: true };
  }

  keep(path: string, descriptor: number): void {
    if (this.#descriptors.get(path) !== descriptor) this.#keep(path, descriptor);
  }

  /** Closes what was opened for writing and not kept. */
  close(descriptor: number): void {
    this.direct.forget(descriptor);
    closeSync(descriptor);
  }

  /** Closes `path` and all below it. */
  forget(path: string): void {
    for (const [open, descriptor] of this.#descriptors) {
      if (open !== path && !open.startsWith(path + sep)) continue;
      this.#close(open, descriptor);
    }
  }

  #cached(path: string): number | undefined {
    const descriptor = this.#descriptors.get(path);
    if (descriptor === undefined) return undefined;
    // The most recently used one stands last.
    this.#descriptors.delete(path);
    this.#descriptors.set(path, descriptor);
    return descriptor;
  }

  #keep(path: string, descriptor: number): number {
    for (const [oldest, itsDescriptor] of this.#descriptors) {
      if (this.#descriptors.size < openFiles) break;
      this.#close(oldest, itsDescriptor);
    }
    this.#descriptors.set(path, descriptor);
    return descriptor;
  }

  #close(path: string, descriptor: number): void {
    this.#descriptors.delete(path);
    this.close(descriptor);
  }

  #openWriting(path: string, mode: number, mayClear: boolean): OpenedFile {
    const flags = constants.O_RDWR | noFollow | nonBlocking;
    try {
      const descriptor = openSync(path, flags | constants.O_CREAT | constants.O_EXCL, mode);
      this.changedDirectories.add(dirname(path));
      return { descriptor, created: true, cached: false };
    } catch (error) {
      if (errorCode(error) === "ENOENT" && mayClear) {
        mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
        return this.#openWriting(path, mode, false);
      }
      if (errorCode(error) !== "EEXIST") throw error;
    }
    // A file with a second name may be somebody else's: it is never written into.
    const found = lstatSync(path);
    if (found.isFile() && found.nlink === 1) {
      if ((found.mode & 0o600) !== 0o600) chmodSync(path, 0o600);
      return { descriptor: openSync(path, flags), created: false, cached: false };
    }
    if (!mayClear) throw Object.assign(new Error(`something is in the way of ${path}`), { code: "EEXIST", path });
    rmSync(path, { recursive: true, force: true });
    return this.#openWriting(path, mode, false);
  }
}

/** Sets the modification time of an open file, exact to the millisecond. */
export function setModified(descriptor: number, milliseconds: number): void {
  const seconds = timeInSeconds(milliseconds);
  futimesSync(descriptor, seconds, seconds);
}

/** What Node takes for a time given in milliseconds. As text, since a negative number would mean now. */
export function timeInSeconds(milliseconds: number): string {
  return String(milliseconds / 1000 + halfMicrosecondSeconds);
}

export function putStamp(stamps: Float64Array, place: number, stats: Stats | undefined): void {
  stamps[place * 3] = stats === undefined ? Number.NaN : stats.size;
  stamps[place * 3 + 1] = stats === undefined ? Number.NaN : stats.mtimeMs;
  stamps[place * 3 + 2] = stats === undefined ? Number.NaN : stats.ino;
}

/** The stamp of an open file, as a flat array of one. */
export function stampOf(descriptor: number): Float64Array {
  const stamps = new Float64Array(3);
  putStamp(stamps, 0, fstatSync(descriptor));
  return stamps;
}
