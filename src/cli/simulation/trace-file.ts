/**
 * A trace of decisions as JSON lines. It promises that memory stays bounded however long the trace is: a simulation never
 * gives the event loop a turn, so lines are gathered up to a limit and written in place.
 */
import { closeSync, writeSync } from "node:fs";
import type { DecisionRecord } from "../../scheduler/decision-record.ts";

/** Characters gathered before they are written. */
const gatheredLength = 256 * 1024;

export class TraceFile {
  readonly #file: number;
  #gathered: string[] = [];
  #length = 0;

  /** @param file a file that is open for writing */
  constructor(file: number) {
    this.#file = file;
  }

  write(record: DecisionRecord): void {
    const line = `${JSON.stringify(record)}\n`;
    this.#gathered.push(line);
    this.#length += line.length;
    if (this.#length >= gatheredLength) this.#flush();
  }

  close(): void {
    this.#flush();
    closeSync(this.#file);
  }

  #flush(): void {
    const bytes = Buffer.from(this.#gathered.join(""));
    for (let written = 0; written < bytes.length;) written += writeSync(this.#file, bytes, written);
    this.#gathered = [];
    this.#length = 0;
  }
}
