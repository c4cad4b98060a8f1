/**
 * The journal of one file set on disk: append, make durable, write anew.
 *
 * It promises that a failed or torn append never hides what is appended later: the next append starts at the end of the
 * last whole record.
 */
import { closeSync, constants, fdatasync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from "node:fs";
import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { noFollow, replaceFileDurably, syncDirectory } from "../durable-file.ts";
import { errorCode } from "./disk-errors.ts";
import { emptyJournalState, journalHeader, readJournal } from "./held-records.ts";
import type { JournalState } from "./held-records.ts";
import { journalRewriteBytes } from "./limits.ts";

const makeDurable = promisify(fdatasync);

/** The state that a journal's file describes; an empty one when there is no such file. Throws as `readJournal`. */
export function loadJournal(path: string): JournalState {
  try {
    return readJournal(readFileSync(path), path);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return emptyJournalState();
    throw error;
  }
}

export class HeldJournal {
  readonly #path: string;
  #descriptor: number | undefined;
  #lengthBytes: number;
  #rewrittenBytes: number;
  #isNew: boolean;
  /** Records that came while the journal was written anew. */
  #meanwhile: Uint8Array[] | undefined;
  #rewriting: Promise<void> | undefined;

  /** @param readBytes how much of the file there is could be read: what follows is overwritten */
  constructor(path: string, readBytes: number) {
    this.#path = path;
    this.#lengthBytes = readBytes;
    this.#rewrittenBytes = readBytes;
    this.#isNew = readBytes === 0;
  }

  /** Whether so much has been appended that it should be written anew. */
  get isLong(): boolean {
    return this.#lengthBytes > Math.max(journalRewriteBytes, 2 * this.#rewrittenBytes);
  }

  /** Appends a record; durable after the next `sync`. */
  append(record: Uint8Array): void {
    if (this.#meanwhile !== undefined) {
      this.#meanwhile.push(record);
      return;
    }
    const descriptor = this.#open();
    let done = 0;
    while (done < record.length) {
      done += writeSync(descriptor, record, done, record.length - done, this.#lengthBytes + done);
    }
    this.#lengthBytes += record.length;
  }

  /** Makes all that was appended durable. */
  async sync(): Promise<void> {
    await this.#rewriting;
    if (this.#descriptor === undefined) return;
    await makeDurable(this.#descriptor);
    if (this.#isNew) {
      await syncDirectory(dirname(this.#path));
      await syncDirectory(dirname(dirname(this.#path)));
      this.#isNew = false;
    }
  }

  /** Replaces all records by these, durably; what is appended meanwhile comes after them. */
  async rewrite(records: () => readonly Uint8Array[]): Promise<void> {
    while (this.#rewriting !== undefined) await this.#rewriting;
    this.#meanwhile = [];
    this.#rewriting = this.#replace(Buffer.concat([journalHeader(), ...records()]));
    try {
      await this.#rewriting;
    } finally {
      this.#rewriting = undefined;
    }
  }

  async #replace(content: Uint8Array): Promise<void> {
    let replaced = false;
    try {
      mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
      await replaceFileDurably(this.#path, content);
      replaced = true;
      if (this.#isNew) await syncDirectory(dirname(dirname(this.#path)));
      this.#isNew = false;
    } finally {
      const meanwhile = this.#meanwhile ?? [];
      this.#meanwhile = undefined;
      if (replaced) {
        this.close();
        this.#lengthBytes = content.length;
        this.#rewrittenBytes = content.length;
      }
      for (const record of meanwhile) this.append(record);
    }
  }

  async remove(): Promise<void> {
    this.close();
    this.#lengthBytes = 0;
    this.#isNew = true;
    await rm(this.#path, { force: true });
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #open(): number {
    if (this.#descriptor !== undefined) return this.#descriptor;
    mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
    const descriptor = openSync(this.#path, constants.O_RDWR | constants.O_CREAT | noFollow, 0o600);
    this.#descriptor = descriptor;
    ftruncateSync(descriptor, this.#lengthBytes);
    if (this.#lengthBytes === 0) {
      const header = journalHeader();
      writeSync(descriptor, header, 0, header.length, 0);
      this.#lengthBytes = header.length;
    }
    return descriptor;
  }
}
