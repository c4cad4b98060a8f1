/**
 * Adds up the processor time of programs and notes the most memory that one of them had, from /proc. Children count with
 * the program that started them. Looked at every 100 ms and at the end; what a program used after the last look before its
 * end is not seen.
 */
import { readFileSync } from "node:fs";
import { nowMilliseconds } from "../race/milliseconds.ts";
import { processSampleMilliseconds } from "./limits.ts";

/** Ticks of a second in /proc: fixed in what the kernel shows to programs. */
const ticksPerSecond = 100;

interface Used {
  cpuSeconds: number;
  peakBytes: number;
}

export interface ProcessFigures {
  /** User and system time of all of them together. */
  readonly cpuSeconds: number;
  /** The most that any one of them had resident. */
  readonly peakMemoryBytes: number;
}

export class ProcessWatch {
  readonly #roots: () => readonly number[];
  readonly #used = new Map<number, Used>();
  /** The sum at each look. */
  readonly #sums: { readonly atMilliseconds: number; readonly cpuSeconds: number }[] = [];
  readonly #timer: NodeJS.Timeout;

  /** @param roots the processes that were started, at the moment of asking; those that have ended may be among them */
  constructor(roots: () => readonly number[]) {
    this.#roots = roots;
    this.#timer = setInterval(() => this.#look(), processSampleMilliseconds);
  }

  /** Looks once more and ends. To be called while the programs still run. */
  stop(): void {
    clearInterval(this.#timer);
    this.#look();
  }

  /** @param fromMilliseconds what was used before this time does not count: the start of the programs */
  figures(fromMilliseconds: number): ProcessFigures {
    let peakMemoryBytes = 0;
    for (const { peakBytes } of this.#used.values()) peakMemoryBytes = Math.max(peakMemoryBytes, peakBytes);
    const before = this.#sums.findLast(({ atMilliseconds }) => atMilliseconds <= fromMilliseconds);
    const last = this.#sums.at(-1);
    return { cpuSeconds: (last?.cpuSeconds ?? 0) - (before?.cpuSeconds ?? 0), peakMemoryBytes };
  }

  #look(): void {
    const left = [...this.#roots()];
    const seen = new Set<number>();
    for (let id = left.pop(); id !== undefined; id = left.pop()) {
      if (seen.has(id)) continue;
      seen.add(id);
      left.push(...this.#note(id));
    }
    let cpuSeconds = 0;
    for (const used of this.#used.values()) cpuSeconds += used.cpuSeconds;
    this.#sums.push({ atMilliseconds: nowMilliseconds(), cpuSeconds });
  }

  /** @returns its children */
  #note(id: number): number[] {
    try {
      const stat = readFileSync(`/proc/${id}/stat`, "latin1");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      // Fields 14 and 15 of the whole line: its own time. Children are followed by themselves.
      const ticks = Number(fields[11]) + Number(fields[12]);
      const status = readFileSync(`/proc/${id}/status`, "latin1");
      const peak = Number(/^VmHWM:\s*(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
      const before = this.#used.get(id);
      this.#used.set(id, { cpuSeconds: ticks / ticksPerSecond, peakBytes: Math.max(peak, before?.peakBytes ?? 0) });
      return readFileSync(`/proc/${id}/task/${id}/children`, "latin1").split(" ").filter(Boolean).map(Number);
    } catch {
      return [];
    }
  }
}
