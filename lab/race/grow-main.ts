/**
 * The program that writes a growing file in a race: copies a file at a rate, in steps of 10 ms. It waits for a file to
 * appear before it begins, and prints when it began and ended.
 *
 * Arguments: FROM TO BITS_PER_SECOND GO
 */
import { closeSync, existsSync, openSync, readSync, statSync, writeSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { nowMilliseconds } from "./milliseconds.ts";

/** The file grows so often, */
const stepMilliseconds = 10;
/** by no more than this at once. */
const largestStepBytes = 4 * 1024 * 1024;

const [from = "", to = "", rate = "0", go = ""] = process.argv.slice(2);
const bitsPerSecond = Number(rate);
const source = openSync(from, "r");
const target = openSync(to, "wx");
const totalBytes = statSync(from).size;
const chunk = new Uint8Array(largestStepBytes);

while (!existsSync(go)) await pause(1);
const begunAt = nowMilliseconds();
process.stdout.write(`began ${begunAt}\n`);
for (let written = 0; written < totalBytes;) {
  const due = Math.min(totalBytes, Math.floor(((nowMilliseconds() - begunAt) * bitsPerSecond) / 8_000));
  while (written < due) {
    const length = readSync(source, chunk, 0, Math.min(chunk.length, due - written), written);
    written += writeSync(target, chunk, 0, length);
  }
  if (written < totalBytes) await pause(stepMilliseconds);
}
closeSync(target);
process.stdout.write(`ended ${nowMilliseconds()}\n`);
