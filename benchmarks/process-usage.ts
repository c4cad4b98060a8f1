/**
 * What processes take of the machine, as Linux tells it: processor time with that of children that have ended, and the
 * most memory that was resident. Elsewhere nothing is known, and the tables show a dash.
 */
import { readFileSync, writeFileSync } from "node:fs";

/** What one way of carrying took for one workload. */
export interface Measurement {
  readonly seconds: number;
  /** Of all processes that took part, sender and receiver together; NaN: not known. */
  readonly cpuSeconds: number;
  /** The most that was resident of what receives, and of what sends; NaN: not known. */
  readonly receiverPeakBytes: number;
  readonly senderPeakBytes: number;
}

/** Linux counts processor time for programs in hundredths, whatever the kernel's own clock is. */
const ticksPerSecond = 100;
/** Fields of /proc/PID/stat behind the name, which is in parentheses: from state, the third, on. */
const userTicksField = 11;
const timeFields = 4;

/** Seconds of processor time, children that were waited for included; NaN where that cannot be told. */
export function cpuSecondsOf(processId: number | "self"): number {
  const text = read(`/proc/${processId}/stat`);
  if (text === undefined) return Number.NaN;
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const times = fields.slice(userTicksField, userTicksField + timeFields);
  return times.reduce((sum, ticks) => sum + Number(ticks), 0) / ticksPerSecond;
}

/** Only children of this process that have ended and were waited for. */
export function cpuSecondsOfChildren(): number {
  const text = read("/proc/self/stat");
  if (text === undefined) return Number.NaN;
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[userTicksField + 2]) + Number(fields[userTicksField + 3])) / ticksPerSecond;
}

/** The most that was resident since the start, or since `forgetPeak`. */
export function peakBytesOf(processId: number): number {
  const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(read(`/proc/${processId}/status`) ?? "")?.[1];
  return kibibytes === undefined ? Number.NaN : Number(kibibytes) * 1024;
}

export function forgetPeak(processId: number): void {
  try {
    writeFileSync(`/proc/${processId}/clear_refs`, "5");
  } catch {
    // Then the peak is that of the whole life of the process, which is said to be the most and still is.
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
