/**
 * The screen of `sluice status --watch`: text for a terminal of a given size, worked out from the overview of the event
 * stream. It promises never to be higher than the terminal, to show what is under way before what is done, and to say how
 * much it leaves out.
 */
import pc from "picocolors";
import { printable } from "../../platform/printable.ts";
import type { TopicData } from "../../protocol/api/events.ts";
import type { FileSetRow, ResourceRow, SiteProgressRow, Usage } from "../../protocol/api/rows.ts";
import { formatBitsPerSecond, formatBytes } from "../../std/units.ts";
import { formatDate, formatShare } from "../output.ts";
import { bar } from "./bar.ts";
import { aligned, timeLeft, timeOf } from "./progress-text.ts";

export interface FleetView {
  readonly url: string;
  readonly nowMilliseconds: number;
  /** undefined: nothing was heard yet. */
  readonly overview: TopicData<"overview"> | undefined;
  /** By file set: how far each site is, of those file sets that are looked at closely. */
  readonly sites: ReadonlyMap<string, readonly SiteProgressRow[]>;
  /** Why nothing is heard at the moment. */
  readonly problem: string | undefined;
}

export interface Screen {
  readonly columns: number;
  readonly rows: number;
  readonly unicode: boolean;
}

const smallestBar = 8;
const largestBar = 30;
const mostLinks = 5;
const mostOutOfUse = 3;
const mostSites = 6;
/** A link that is used for more than this share of what it may carry is marked. */
const busyShare = 0.9;

/** The whole screen, without a line end at its end. */
export function fleetScreen(view: FleetView, screen: Screen): string {
  const { overview } = view;
  const head = headLines(view, screen);
  if (overview === undefined) return clipped([...head, "", "waiting for the controller"], screen).join("\n");
  const links = linkLines(overview, screen);
  const broken = outOfUseLines(overview);
  const taken = head.length + links.length + broken.length + 1;
  const fileSets = fileSetLines(view, overview.fileSets, screen, screen.rows - taken);
  return clipped([...head, "", ...fileSets, ...links, ...broken], screen).join("\n");
}

/** File sets whose sites are worth showing: under way, the most urgent first. */
export function watchedClosely(fileSets: readonly FileSetRow[], most: number): string[] {
  return unfinishedFirst(fileSets)
    .filter((row) => !isDone(row))
    .slice(0, most)
    .map(({ fileSet }) => fileSet);
}

function headLines({ url, nowMilliseconds, overview, problem }: FleetView, { columns }: Screen): string[] {
  const left = `sluice at ${url}`;
  const clock = formatDate(nowMilliseconds).slice(11);
  const lines = [`${pc.bold(left)}${" ".repeat(Math.max(2, columns - left.length - clock.length))}${pc.dim(clock)}`];
  if (overview !== undefined) {
    const { agentsOnline, agentsKnown, lanes, receivedBitsPerSecond, waitsForAgents } = overview.controller;
    const parts = [
      `${agentsOnline} of ${agentsKnown} agents online in ${overview.sites.length} ${overview.sites.length === 1 ? "site" : "sites"}`,
      `${lanes} lanes`,
      `receiving ${formatBitsPerSecond(receivedBitsPerSecond)}`,
      ...(waitsForAgents ? ["the controller has just started and waits for agents"] : []),
    ];
    lines.push(parts.join("   "));
  }
  if (problem !== undefined) lines.push(pc.yellow(printable(problem)));
  return lines;
}

function fileSetLines(view: FleetView, rows: readonly FileSetRow[], screen: Screen, room: number): string[] {
  if (rows.length === 0) return ["no file sets yet: sluice publish PATH --fileset NAME --version VERSION"];
  const ordered = unfinishedFirst(rows);
  const table = aligned(
    ordered.map((row) => fileSetCells(row)),
    new Set([2, 3, 4]),
  );
  const sitesOf = (row: FileSetRow): readonly SiteProgressRow[] =>
    isDone(row) ? [] : (view.sites.get(row.fileSet) ?? []);
  // File sets come before their sites where there is not room for both.
  let left = room - 1 - Math.min(ordered.length, room - 1);
  const lines: string[] = [];
  for (const [index, row] of ordered.entries()) {
    if (lines.length + 1 >= room && index + 1 < ordered.length) {
      lines.push(pc.dim(`and ${ordered.length - index} more: sluice fileset ls`));
      break;
    }
    const block = fileSetBlock(row, table[index] ?? [], screen);
    lines.push(...block);
    left -= block.length - 1;
    const sites = [...sitesOf(row)].sort((one, other) => shareOf(one) - shareOf(other)).slice(0, mostSites);
    const shown = sites.slice(0, Math.max(0, left));
    left -= shown.length;
    lines.push(...siteLines(shown, table[index] ?? [], screen));
  }
  return lines;
}

function fileSetCells(row: FileSetRow): string[] {
  return [
    row.fileSet,
    stateOf(row),
    row.targets > 0 && row.held === row.targets ? "100 %" : formatShare(row.heldBytes, row.wantedBytes),
    `${row.held}/${row.targets}`,
    formatBytes(row.totalBytes),
  ];
}

function fileSetBlock(row: FileSetRow, cells: readonly string[], screen: Screen): string[] {
  const [name = "", state = "", share = "", held = "", size = ""] = cells;
  const reason = isDone(row) || row.heldBackBy === null ? "" : `held back by ${printable(row.heldBackBy.text)}`;
  const rate = row.rateBitsPerSecond > 0 ? formatBitsPerSecond(row.rateBitsPerSecond) : "";
  const remarks = isDone(row) ? [] : [rate, timeLeft(row.secondsLeft)].filter((text) => text !== "");
  const drawn = bar(row.heldBytes, row.wantedBytes, barWidth(screen), screen.unicode);
  const color = isDone(row) ? pc.green : row.stalled > 0 ? pc.yellow : pc.cyan;
  const full = isDone(row) ? bar(1, 1, barWidth(screen), screen.unicode) : drawn;
  const line = (more: readonly string[]): string =>
    `${pc.bold(name)}  ${state}  ${color(full)} ${share}  ${held} agents  ${size}${more.length === 0 ? "" : `  ${more.join(", ")}`}`;
  if (reason === "") return [line(remarks)];
  // What holds it back is never cut off: without room beside the figures it stands below them.
  const whole = line([...remarks, reason]);
  return lengthOf(whole) <= screen.columns ? [whole] : [line(remarks), `  ${reason}`];
}

/** Bars under the file set's own, those that are least far first. */
function siteLines(sites: readonly SiteProgressRow[], cells: readonly string[], screen: Screen): string[] {
  const [name = "", state = "", share = "", held = ""] = cells;
  return sites.map((site) => {
    const head = `  ${site.site}`.padEnd(name.length + 2 + state.length + 2);
    const drawn = bar(site.heldBytes, site.wantedBytes, barWidth(screen), screen.unicode);
    const isWhole = site.held === site.targets;
    const text = isWhole ? "100 %" : formatShare(site.heldBytes, site.wantedBytes);
    return pc.dim(
      `${head}${drawn} ${text.padStart(share.length)}  ${`${site.held}/${site.targets}`.padStart(held.length)} agents`,
    );
  });
}

/** A link of any kind: a site's way out or in, or one by name. */
interface LinkUse extends Usage {
  readonly name: string;
}

function linksOf({ sites, resources }: TopicData<"overview">): LinkUse[] {
  return [
    ...sites.flatMap(({ site, uplink, downlink }) => [
      { ...uplink, name: `sites.${site}.uplink` },
      { ...downlink, name: `sites.${site}.downlink` },
    ]),
    ...resources.map((row) => ({ ...row, name: row.resource })),
  ];
}

function linkLines(overview: TopicData<"overview">, screen: Screen): string[] {
  const busiest = linksOf(overview)
    .filter(({ allocatedBitsPerSecond, measuredBitsPerSecond }) => allocatedBitsPerSecond + measuredBitsPerSecond > 0)
    .sort((one, other) => useOf(other) - useOf(one) || other.allocatedBitsPerSecond - one.allocatedBitsPerSecond)
    .slice(0, mostLinks);
  if (busiest.length === 0) return [];
  const table = aligned(
    busiest.map(({ name, capabilityBitsPerSecond: capability, ...use }) => [
      name,
      capability === null ? "no limit" : formatShare(use.allocatedBitsPerSecond, capability),
      formatBitsPerSecond(use.measuredBitsPerSecond),
      capability === null ? "" : `of ${formatBitsPerSecond(capability)}`,
      formatBitsPerSecond(use.allocatedBitsPerSecond),
    ]),
    new Set([1, 2, 4]),
  );
  const lines = busiest.map((link, index) => {
    const [name = "", use = "", measured = "", capability = "", allocated = ""] = table[index] ?? [];
    const drawn = bar(link.allocatedBitsPerSecond, link.capabilityBitsPerSecond ?? 0, barWidth(screen), screen.unicode);
    const color = useOf(link) > busyShare ? pc.yellow : pc.cyan;
    return `${name}  ${color(drawn)} ${use}  ${measured} ${capability}  allocated ${allocated}`;
  });
  return ["", pc.dim("BUSIEST LINKS"), ...lines];
}

function outOfUseLines({ resources, sites, controller }: TopicData<"overview">): string[] {
  if (controller.outOfUse === 0) return [];
  const broken = [
    ...sites.filter(({ outOfUse }) => outOfUse).map(({ site }) => `the uplink or downlink of site ${site}`),
    ...resources.filter(({ outOfUse }) => outOfUse).map((row) => describeBroken(row)),
  ];
  const lines = broken.slice(0, mostOutOfUse).map((line) => pc.red(line));
  const more = controller.outOfUse - lines.length;
  if (more > 0) {
    const what = lines.length > 0 ? `and ${more} more` : `${more} ${more === 1 ? "component" : "components"}`;
    lines.push(pc.red(`${what}: sluice resource ls, sluice agent ls`));
  }
  return ["", pc.dim("OUT OF USE"), ...lines];
}

function describeBroken({ resource, failures, reason, retryInSeconds }: ResourceRow): string {
  const why = reason === undefined ? "" : `: ${printable(reason)}`;
  const retry = retryInSeconds === undefined ? "" : `, tried again in ${timeOf(retryInSeconds)}`;
  return `${resource} after ${failures} failures${why}${retry}`;
}

function unfinishedFirst(rows: readonly FileSetRow[]): FileSetRow[] {
  const rank = (row: FileSetRow): number => (isDone(row) ? 1 : 0);
  return [...rows].sort(
    (one, other) => rank(one) - rank(other) || other.priority - one.priority || other.sequence - one.sequence,
  );
}

function isDone({ state, held, targets }: FileSetRow): boolean {
  return state === "published" && held === targets;
}

function stateOf(row: FileSetRow): string {
  const words: string[] = [row.state === "published" && row.active ? "active" : row.state];
  if (row.growing) words.push("growing");
  if (row.paused) words.push("paused");
  if (row.stalled > 0) words.push(`${row.stalled} stalled`);
  if (row.offline > 0) words.push(`${row.offline} offline`);
  return words.join(", ");
}

function shareOf({ heldBytes, wantedBytes }: SiteProgressRow): number {
  return wantedBytes > 0 ? heldBytes / wantedBytes : 1;
}

function useOf({ allocatedBitsPerSecond, capabilityBitsPerSecond }: Usage): number {
  return capabilityBitsPerSecond === null || capabilityBitsPerSecond === 0
    ? 0
    : allocatedBitsPerSecond / capabilityBitsPerSecond;
}

function barWidth({ columns }: Screen): number {
  return Math.min(largestBar, Math.max(smallestBar, Math.floor(columns / 5)));
}

/** Lines of what fits; colours take no room. */
function clipped(lines: readonly string[], { rows, columns }: Screen): string[] {
  return lines.slice(0, Math.max(1, rows)).map((line) => clip(line, columns));
}

// oxlint-disable-next-line no-control-regex -- colours are what is looked for
const colors = /(\u001b\[\d+m)/;

/** Without the colours. */
function lengthOf(line: string): number {
  return line
    .split(colors)
    .filter((_, index) => index % 2 === 0)
    .join("").length;
}

function clip(line: string, columns: number): string {
  const pieces = line.split(colors);
  let left = columns;
  return pieces
    .map((piece) => {
      if (piece.startsWith("\u001b")) return piece;
      const shown = piece.slice(0, Math.max(0, left));
      left -= shown.length;
      return shown;
    })
    .join("");
}
