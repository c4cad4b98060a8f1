/**
 * Shows the fleet while a file set goes through it: a picture that is drawn again and again on a terminal, a line every
 * two seconds elsewhere.
 */
import logUpdate from "log-update";
import pc from "picocolors";
import type { AgentView, ResourceView } from "#src/protocol/views.ts";
import { formatBitsPerSecond } from "#src/std/units.ts";
import { siteDownlink, siteUplink } from "#src/model/resources.ts";

const barWidth = 40;
const plainLineEveryMilliseconds = 2_000;
/** The least width that the picture fits in. */
const leastColumns = 72;

export interface Progress {
  readonly fileSet: string;
  readonly seconds: number;
  readonly agents: readonly AgentView[];
  readonly resources: readonly ResourceView[];
}

export class Display {
  readonly #sites: readonly string[];
  readonly #isTerminal = process.stdout.isTTY && process.stdout.columns >= leastColumns;
  #nextLineAtSeconds = 0;

  constructor(sites: readonly string[]) {
    this.#sites = sites;
  }

  /** How often it is worth calling `show`. */
  get intervalMilliseconds(): number {
    return this.#isTerminal ? 200 : 500;
  }

  show(progress: Progress): void {
    if (this.#isTerminal) {
      logUpdate(this.#picture(progress));
      return;
    }
    if (progress.seconds < this.#nextLineAtSeconds) return;
    this.#nextLineAtSeconds = progress.seconds + plainLineEveryMilliseconds / 1000;
    console.log(this.#line(progress));
  }

  /** The end: what was shown last stays. */
  done(last: Progress): void {
    if (this.#isTerminal) {
      logUpdate(this.#picture(last));
      logUpdate.done();
    } else {
      console.log(this.#line(last));
    }
  }

  /** Gives the terminal back in the middle of it. */
  abandon(): void {
    if (this.#isTerminal) logUpdate.done();
  }

  #line({ fileSet, seconds, agents }: Progress): string {
    const shares = this.#sites.map((site) => `${site} ${percent(shareOf(fileSet, inSite(agents, site)))}`);
    const held = agents.filter((agent) => shareOf(fileSet, [agent]) === 1).length;
    const total = percent(shareOf(fileSet, agents));
    return `${clock(seconds)}  ${total}  ${shares.join("  ")}  complete on ${held} of ${agents.length}`;
  }

  #picture({ fileSet, seconds, agents, resources }: Progress): string {
    const lines = [`${pc.bold(fileSet)}  ${percent(shareOf(fileSet, agents))}  ${clock(seconds)}`];
    for (const site of this.#sites) {
      lines.push(
        "",
        `${pc.bold(site)}  out ${linkUse(resources, siteUplink(site))}  in ${linkUse(resources, siteDownlink(site))}`,
      );
      for (const agent of inSite(agents, site)) {
        const share = shareOf(fileSet, [agent]);
        const known = agent.fileSets.find((entry) => entry.fileSet === fileSet);
        const status = agent.online ? (known?.current ? "current" : (known?.status ?? "-")) : "offline";
        lines.push(`  ${agent.name}  ${bar(share)} ${percent(share)}  ${pc.dim(status)}`);
      }
    }
    return lines.join("\n");
  }
}

function inSite(agents: readonly AgentView[], site: string): AgentView[] {
  return agents.filter((agent) => agent.site === site).sort((left, right) => (left.name < right.name ? -1 : 1));
}

/** 0 to 1: what these agents hold of what they should. */
function shareOf(fileSet: string, agents: readonly AgentView[]): number {
  let held = 0;
  let total = 0;
  for (const agent of agents) {
    const known = agent.fileSets.find((entry) => entry.fileSet === fileSet);
    held += known === undefined || known.totalBytes === 0 ? 0 : known.heldBytes / known.totalBytes;
    total += 1;
  }
  return total === 0 ? 0 : held / total;
}

/** `100 %` only when it is all. */
function percent(share: number): string {
  return share === 1 ? "100.0 %" : `${Math.min(99.9, share * 100).toFixed(1)} %`.padStart(7);
}

function clock(seconds: number): string {
  return `${seconds.toFixed(1)} s`.padStart(7);
}

function bar(share: number): string {
  const filled = Math.floor(share * barWidth);
  return pc.green("█".repeat(filled)) + pc.dim("░".repeat(barWidth - filled));
}

function linkUse(resources: readonly ResourceView[], name: string): string {
  const view = resources.find(({ resource }) => resource === name);
  const measured = formatBitsPerSecond(view?.measuredBitsPerSecond ?? 0).padStart(9);
  const capability = view?.capabilityBitsPerSecond ?? undefined;
  return pc.dim(`${measured} of ${capability === undefined ? "no limit" : formatBitsPerSecond(capability)}`);
}
