/**
 * How far a publish is, on standard error. On a terminal a bar for each stage, which stays when the stage is over, and one
 * for each site while targets are waited for; elsewhere a plain line for each stage, and one now and then while it lasts;
 * a command that is done at once says nothing there. It promises to leave a terminal with whole lines, and never to write
 * faster than can be read.
 */
import { createLogUpdate } from "log-update";
import pc from "picocolors";
import { printable } from "../../platform/printable.ts";
import type { SiteProgress, WaitProgress } from "../../services/publisher/wait-for-targets.ts";
import { formatBytes, formatDuration, nanosecondsPerMillisecond } from "../../std/units.ts";
import { formatShare } from "../output.ts";
import { bar, showsUnicode } from "./bar.ts";
import { timeLeft } from "./progress-text.ts";
import { RateMeter } from "./rate-meter.ts";

const terminalMilliseconds = 100;
const plainMilliseconds = 10_000;
/** Without a terminal, nothing is said before a command has lasted for so long. */
const quietMilliseconds = 2_000;
const barWidth = 24;
const labelWidth = 12;
/** Sites that get a bar of their own: those that are least far. */
const mostSites = 8;

interface Stage {
  readonly label: string;
  readonly startedAt: number;
  readonly meter: RateMeter;
  done: number;
  whole: number | undefined;
  remark: string;
  sites: readonly SiteProgress[];
}

export class PublishProgress {
  readonly #out: NodeJS.WriteStream;
  readonly #startedAt = performance.now();
  readonly #update: ReturnType<typeof createLogUpdate> | undefined;
  readonly #unicode = showsUnicode(process.env);
  #stage: Stage | undefined;
  #plainText = "";
  #writtenAt = -Infinity;

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
    this.#update = out.isTTY ? createLogUpdate(out) : undefined;
  }

  /** Something that has no measure. */
  note(text: string): void {
    if (this.#update === undefined) {
      this.#plain(text, text);
    } else if (this.#isDue()) {
      const above = this.#stage === undefined ? "" : `${this.#lines(this.#stage)}\n`;
      this.#update(`${above}${printable(text)}`);
    }
  }

  /** So much of it is done; `whole` undefined: nobody knows how much there will be. */
  amount(label: string, done: number, whole: number | undefined): void {
    this.#show(label, { done, whole, remark: "", sites: [] });
  }

  /** How far the targets are. */
  fleet({ targets, ready, heldBytes, totalBytes, sites }: WaitProgress): void {
    const remark = `${ready} of ${targets} targets hold it`;
    this.#show("fleet", { done: heldBytes, whole: totalBytes, remark, sites: sites.length > 1 ? sites : [] });
  }

  /** Whatever is shown has ended; `well`: what was under way is done. */
  end(well: boolean): void {
    const stage = this.#stage;
    this.#stage = undefined;
    if (this.#update === undefined) return;
    if (stage === undefined) this.#update.clear();
    else this.#update(well ? this.#finished(stage) : this.#lines(stage));
    this.#update.done();
  }

  #show(label: string, now: Pick<Stage, "done" | "whole" | "remark" | "sites">): void {
    const before = this.#stage;
    if (before?.label !== label) {
      if (before !== undefined && this.#update !== undefined) {
        this.#update(this.#finished(before));
        this.#update.done();
      }
      this.#stage = { label, startedAt: performance.now(), meter: new RateMeter(), ...now };
    }
    const stage = Object.assign(this.#stage ?? { label, startedAt: 0, meter: new RateMeter() }, now);
    stage.meter.add(performance.now(), now.done);
    if (this.#update === undefined) this.#plain(label, this.#plainLine(stage));
    else if (before?.label !== label || this.#isDue()) this.#update(this.#lines(stage));
  }

  #isDue(): boolean {
    const now = performance.now();
    if (now - this.#writtenAt < terminalMilliseconds) return false;
    this.#writtenAt = now;
    return true;
  }

  #lines(stage: Stage): string {
    const { label, done, whole, remark, sites, meter } = stage;
    const rate = meter.bytesPerSecond;
    const parts = [
      whole === undefined
        ? formatBytes(done)
        : `${formatShare(done, whole)}  ${formatBytes(done)} of ${formatBytes(whole)}`,
      remark,
      rate === undefined ? "" : `${formatBytes(Math.round(rate))}/s`,
      whole === undefined || done >= whole ? "" : timeLeft(meter.secondsUntil(whole)),
    ];
    const head = this.#line(label, done, whole, parts);
    const slowest = [...sites].sort((one, other) => shareOf(one) - shareOf(other)).slice(0, mostSites);
    const bars = slowest.map((site) => {
      const text = site.ready === site.targets ? "100 %" : formatShare(site.heldBytes, site.totalBytes);
      const held = `${site.ready} of ${site.targets}`;
      return pc.dim(this.#line(`  ${site.site}`, site.heldBytes, site.totalBytes, [text, held]));
    });
    const more = sites.length - slowest.length;
    return [head, ...bars, ...(more > 0 ? [pc.dim(`  and ${more} more sites that are further`)] : [])].join("\n");
  }

  #finished({ label, done, remark, startedAt }: Stage): string {
    const seconds = formatDuration(Math.round((performance.now() - startedAt) * nanosecondsPerMillisecond));
    return this.#line(label, 1, 1, ["100 %", formatBytes(done), remark, `in ${seconds}`]);
  }

  #line(label: string, done: number, whole: number | undefined, parts: readonly string[]): string {
    const drawn = whole === undefined ? "" : `${bar(done, whole, barWidth, this.#unicode)}  `;
    const color = whole !== undefined && done >= whole ? pc.green : pc.cyan;
    const text = parts.filter((part) => part !== "").join("  ");
    const room = Math.max(10, (this.#out.columns || 80) - labelWidth - 2 - drawn.length - 1);
    return `${printable(label).padEnd(labelWidth)}  ${color(drawn)}${printable(text).slice(0, room)}`;
  }

  #plain(kind: string, text: string): void {
    const now = performance.now();
    if (now - this.#startedAt < quietMilliseconds) return;
    if (kind === this.#plainText && now - this.#writtenAt < plainMilliseconds) return;
    this.#plainText = kind;
    this.#writtenAt = now;
    this.#out.write(`${printable(text)}\n`);
  }

  #plainLine({ label, done, whole, remark, meter }: Stage): string {
    const share = whole === undefined ? "" : ` of ${formatBytes(whole)} (${formatShare(done, whole)})`;
    const left = whole === undefined ? "" : timeLeft(meter.secondsUntil(whole));
    return [`${label}: ${formatBytes(done)}${share}`, remark, left].filter((part) => part !== "").join(", ");
  }
}

function shareOf({ heldBytes, totalBytes }: SiteProgress): number {
  return totalBytes > 0 ? heldBytes / totalBytes : 1;
}
