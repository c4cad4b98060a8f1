/**
 * How far a long command is: one line that is written over on a terminal; elsewhere a plain line for each stage, and one
 * now and then while it lasts; a command that is done at once says nothing. It promises to leave a terminal with whole
 * lines, and never to write faster than can be read.
 */
import { printable } from "../../platform/printable.ts";
import { formatBytes } from "../../std/units.ts";
import { formatShare } from "../output.ts";

const terminalMilliseconds = 100;
const plainMilliseconds = 10_000;
/** Without a terminal, nothing is said before a command has lasted for so long. */
const quietMilliseconds = 2_000;
const clearLine = "\r\u001b[2K";

export class ProgressLine {
  readonly #out: NodeJS.WriteStream;
  readonly #startedAt = performance.now();
  #label = "";
  #writtenAt = -Infinity;
  #isOpen = false;

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
  }

  /** Something else begins. */
  stage(text: string): void {
    this.#show(text, text);
  }

  /** So much of it is done; `whole` undefined: nobody knows how much there will be. */
  amount(label: string, done: number, whole: number | undefined): void {
    const share = whole === undefined ? "" : ` of ${formatBytes(whole)} (${formatShare(done, whole)})`;
    this.#show(label, `${label}: ${formatBytes(done)}${share}`);
  }

  /** Whatever is shown has ended. */
  end(): void {
    if (this.#isOpen) this.#out.write(clearLine);
    this.#isOpen = false;
    this.#label = "";
  }

  #show(label: string, text: string): void {
    const now = performance.now();
    if (!this.#out.isTTY && now - this.#startedAt < quietMilliseconds) return;
    const isNew = label !== this.#label;
    const pause = this.#out.isTTY ? terminalMilliseconds : plainMilliseconds;
    if (!isNew && now - this.#writtenAt < pause) return;
    this.#label = label;
    this.#writtenAt = now;
    const safe = printable(text);
    if (this.#out.isTTY) {
      this.#out.write(`${clearLine}${safe.slice(0, Math.max(20, this.#out.columns - 1))}`);
      this.#isOpen = true;
    } else this.#out.write(`${safe}\n`);
  }
}
