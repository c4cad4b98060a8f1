/** How far every agent is with a file set: a heat map for each site. */
import { useMemo } from "preact/hooks";
import type { SiteProgressRow, TargetRow } from "../../protocol/api/rows.ts";
import { statusWord } from "../agent-state.ts";
import { percentText, shareOf } from "../format.ts";
import { agentHref } from "../router.ts";
import { Meter } from "./basics.tsx";
import { cellPixelsFor } from "./heat-grid.ts";
import { HeatMap, type CellTone, type HeatCell } from "./heat-map.tsx";
import { compareValues } from "./table-rows.ts";

/** With fewer sites than this, each gets more room. */
const fewSites = 4;

const legend: readonly (readonly [string, string])[] = [
  ["--good", "holds it"],
  ["--moving", "fetching, as full as the square"],
  ["--track", "nothing yet"],
  ["--warning", "stalled"],
  ["--border-strong", "offline"],
];

export function HeatLegend() {
  return (
    <span class="heat-legend">
      {legend.map(([token, text]) => (
        <span key={token}>
          <i class="swatch square" style={{ "--swatch": `var(${token})` }} />
          {text}
        </span>
      ))}
    </span>
  );
}

export function FleetHeat(props: {
  readonly sites: readonly SiteProgressRow[];
  readonly agents: readonly TargetRow[];
  readonly totalBytes: number;
}) {
  const { sites, agents, totalBytes } = props;
  const bySite = useMemo(() => cellsBySite(agents, totalBytes), [agents, totalBytes]);
  const largest = Math.max(0, ...[...bySite.values()].map((cells) => cells.length));
  const progress = new Map(sites.map((row) => [row.site, row]));
  const names = [...bySite.keys()].sort(compareValues);
  return (
    <div class={names.length <= fewSites ? "heat-sites few" : "heat-sites"}>
      {names.map((site) => (
        <HeatSite
          key={site}
          site={site}
          progress={progress.get(site)}
          cells={bySite.get(site) ?? []}
          cellPixels={cellPixelsFor(largest)}
        />
      ))}
    </div>
  );
}

function HeatSite(props: {
  readonly site: string;
  readonly progress: SiteProgressRow | undefined;
  readonly cells: readonly HeatCell[];
  readonly cellPixels: number;
}) {
  const { site, progress, cells, cellPixels } = props;
  return (
    <div class="heat-site">
      <div class="heat-site-head">
        <h3 class="cut" title={site}>
          {site}
        </h3>
        <span class="muted small">
          {progress === undefined || progress.targets === 0
            ? "no targets"
            : `${percentText(progress.heldBytes, progress.wantedBytes)} · ${progress.held} / ${progress.targets}`}
        </span>
      </div>
      <Meter
        share={shareOf(progress?.heldBytes ?? 0, progress?.wantedBytes ?? 0)}
        tone={progress !== undefined && progress.held === progress.targets ? "good" : "moving"}
      />
      <HeatMap label={`Agents of ${site}`} cells={cells} cellPixels={cellPixels} />
    </div>
  );
}

function cellsBySite(agents: readonly TargetRow[], totalBytes: number): Map<string, HeatCell[]> {
  const bySite = new Map<string, HeatCell[]>();
  for (const row of agents.toSorted((a, b) => compareValues(a.agent, b.agent))) {
    const cells = bySite.get(row.site) ?? [];
    if (cells.length === 0) bySite.set(row.site, cells);
    const { word } = statusWord(row.status);
    cells.push({
      key: row.agent,
      tone: toneOf(row),
      share: shareOf(row.heldBytes, totalBytes),
      href: agentHref(row.agent),
      text: [
        `${row.agent}: ${percentText(row.heldBytes, totalBytes)}`,
        row.online ? word : "offline",
        ...(row.target ? [] : ["not a target"]),
        ...(row.problem === undefined ? [] : [row.problem]),
      ].join(", "),
    });
  }
  return bySite;
}

function toneOf({ status, online, target, heldBytes }: TargetRow): CellTone {
  if (status === "held") return target ? "held" : "extra";
  if (!online) return "offline";
  if (status === "stalled") return "stalled";
  return heldBytes > 0 ? "moving" : "waiting";
}
