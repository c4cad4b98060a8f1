/**
 * How eagerly the engine optimises our code. A program that wakes up for many kinds of events, and for each of them a
 * few hundred times a minute, spends more on optimising its functions than they ever win back; on a host with few cores
 * that time is taken from transfers. It promises to change speed only, and nothing where the engine is another one.
 */
import { setFlagsFromString } from "node:v8";

/** The engine of Node 20. Later ones have a compiler in between that costs little, and another name for this. */
const knownEngine = /^11\./;
/** What a function runs, in bytes of bytecode, before it is optimised. The engine's own default is 132 KiB. */
const budgetBytes = 1_000_000;

/** Has functions optimised only after they ran for longer. To be called before the work begins; for the whole process. */
export function compileLate(): void {
  if (knownEngine.test(process.versions.v8)) setFlagsFromString(`--interrupt-budget=${budgetBytes}`);
}
