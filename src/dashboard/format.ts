/** Figures as people read them. Units are those of the command line (src/std/units.ts). */
import { formatBitsPerSecond, formatBytes, formatDuration, nanosecondsPerSecond } from "../std/units.ts";

const none = "–";

export function rateText(bitsPerSecond: number | null | undefined): string {
  return bitsPerSecond === null || bitsPerSecond === undefined ? none : formatBitsPerSecond(Math.round(bitsPerSecond));
}

/** As `rateText`, for the scale of a chart: nothing has no unit. */
export function axisRateText(bitsPerSecond: number): string {
  return bitsPerSecond === 0 ? "0" : rateText(bitsPerSecond);
}

export function bytesText(bytes: number | null | undefined): string {
  return bytes === null || bytes === undefined ? none : formatBytes(Math.round(bytes));
}

/** A length of time: "2 m 5 s". Parts of a second are shown below ten seconds only. */
export function secondsText(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return none;
  const rounded = seconds < 10 ? Math.round(seconds * 10) / 10 : Math.round(seconds);
  return formatDuration(rounded * nanosecondsPerSecond);
}

/** A date in the time of whoever looks, as charts show times: "2026-11-22 21:44:54". */
export function dateText(milliseconds: number): string {
  const date = new Date(milliseconds);
  const two = (number: number): string => String(number).padStart(2, "0");
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join("-");
  return `${day} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":")}`;
}

/** How long ago a date is: "12 s ago". */
export function agoText(dateMilliseconds: number, nowMilliseconds: number): string {
  const seconds = Math.max(0, Math.floor((nowMilliseconds - dateMilliseconds) / 1000));
  return seconds < 1 ? "now" : `${secondsText(seconds)} ago`;
}

/** A part of a whole. It says 100 % only when nothing is missing, and 0 % only when nothing is there. */
export function percentText(part: number, whole: number): string {
  if (whole <= 0) return none;
  const percent = (100 * part) / whole;
  if (percent >= 100) return "100 %";
  if (percent <= 0) return "0 %";
  if (percent < 10) return `${Math.max(0.1, Math.floor(percent * 10) / 10).toFixed(1)} %`;
  return `${Math.floor(percent)} %`;
}

/** A share from 0 to 1, for bars; 0 where there is no whole. */
export function shareOf(part: number, whole: number): number {
  return whole <= 0 ? 0 : Math.min(1, Math.max(0, part / whole));
}

export function countText(count: number): string {
  return count.toLocaleString("en-US").replaceAll(",", " ");
}

/** "1 agent", "2 agents". */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${countText(count)} ${count === 1 ? one : many}`;
}
