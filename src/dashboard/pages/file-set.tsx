/** One version of a file set: how far it is, where, how fast, what it waits for, what is in it. */
import { useMemo } from "preact/hooks";
import type { AtBest, FileSetRow, ProgressSample } from "../../protocol/api/rows.ts";
import { Badge, Facts, Loading, Message, PageHead, Panel, Tile } from "../components/basics.tsx";
import { Chart, type ChartSeries } from "../components/chart.tsx";
import { OrderButton } from "../components/controls.tsx";
import { FileList } from "../components/file-list.tsx";
import { HeldBack } from "../components/file-set-table.tsx";
import { FleetHeat, HeatLegend } from "../components/fleet-heat.tsx";
import { Rarity } from "../components/rarity.tsx";
import { fileSetState, isUnderWay } from "../file-set-state.ts";
import { axisRateText, bytesText, countText, dateText, percentText, plural, rateText, secondsText } from "../format.ts";
import { useLive, useTopic } from "../live/live-context.ts";
import { pathOf } from "../live/requests.ts";
import { completionSeries, rateSeries } from "../progress-series.ts";
import { agentsHref, fileSetHref } from "../router.ts";

const above = { href: "#/filesets", text: "File sets" };

export function FileSetPage({ fileSet: key }: { readonly fileSet: string }) {
  const fileSet = useTopic("fileSet", key);
  const versions = useTopic("overview")?.fileSets ?? [];
  const nowMilliseconds = useLive().dateOf(`fileSet:${key}`) ?? 0;
  if (fileSet === undefined) return <Loading />;
  const { summary, sites, agents, rarity, atBest, history } = fileSet;
  if (summary === null) {
    return (
      <>
        <PageHead title={key} above={above} />
        <Message title="There is no such version, or no longer" />
      </>
    );
  }
  const { tone, word, title } = fileSetState(summary);
  return (
    <>
      <PageHead
        title={key}
        above={above}
        beside={
          <>
            <Badge tone={tone} title={title}>
              {word}
            </Badge>
            {summary.active && <Badge tone="good">active</Badge>}
          </>
        }
      >
        <Orders row={summary} />
      </PageHead>
      <Tiles row={summary} />
      <div class="columns even">
        <Panel title="Completion">
          <CompletionChart {...{ history, summary, atBest, nowMilliseconds }} />
        </Panel>
        <Panel title="Rate">
          <RateChart history={history} summary={summary} nowMilliseconds={nowMilliseconds} />
        </Panel>
      </div>
      <Panel title="Agents" note={<HeatLegend />}>
        {agents.length === 0 ? (
          <Message title="No agent should hold it">
            <span>
              It goes to <code class="code">{summary.selector}</code>, and no agent is named by that.
            </span>
          </Message>
        ) : (
          <FleetHeat sites={sites} agents={agents} totalBytes={summary.totalBytes} />
        )}
      </Panel>
      <div class="columns even">
        <Panel title="Rarest blocks" note="copies held or coming">
          <Rarity rows={rarity} />
        </Panel>
        <Panel title="About it">
          <About row={summary} versions={versions.filter(({ name }) => name === summary.name)} />
        </Panel>
      </div>
      <FileList name={summary.name} version={summary.version} files={summary.files} blocks={summary.blocks} />
    </>
  );
}

function Orders({ row }: { readonly row: FileSetRow }) {
  const { name, version, paused, active, state } = row;
  return (
    <>
      <OrderButton
        path={`${pathOf("filesets", name, paused ? "resume" : "pause")}?version=${encodeURIComponent(version)}`}
      >
        {paused ? "Resume" : "Pause"}
      </OrderButton>
      {!active && state === "published" && (
        <OrderButton
          path={pathOf("filesets", name, "versions", version, "activate")}
          confirm={`Make ${version} the active version of ${name}? Agents switch over as soon as they hold it.`}
        >
          Activate
        </OrderButton>
      )}
    </>
  );
}

function Tiles({ row }: { readonly row: FileSetRow }) {
  const underWay = isUnderWay(row);
  return (
    <div class="tiles">
      <Tile
        label="Progress"
        value={<span data-testid="progress">{percentText(row.heldBytes, row.wantedBytes)}</span>}
        tone={row.targets > 0 && row.held === row.targets ? "good" : undefined}
        note={`${bytesText(row.heldBytes)} of ${bytesText(row.wantedBytes)}`}
      />
      <Tile
        label="Agents"
        value={
          <>
            {countText(row.held)} <small>of {countText(row.targets)}</small>
          </>
        }
        note={[
          ...(row.offline > 0 ? [`${row.offline} offline`] : []),
          ...(row.stalled > 0 ? [`${row.stalled} stalled`] : []),
        ].join(", ")}
      />
      <Tile label="Rate" value={rateText(row.rateBitsPerSecond)} note="new at all targets together" />
      <Tile
        label="Time left"
        value={underWay ? secondsText(row.secondsLeft) : "–"}
        note={row.heldBackBy === null ? "" : `${secondsText(row.heldBackBy.secondsAtLeast)} at best`}
      />
      <Tile
        label="Held back by"
        value={
          <span class="tile-text">
            <HeldBack heldBackBy={row.heldBackBy} />
          </span>
        }
        note={row.heldBackBy?.resource ?? ""}
      />
    </div>
  );
}

const completionLines: readonly ChartSeries[] = [
  { label: "held by targets", color: "--good", filled: true },
  { label: "at this rate", color: "--moving", dashed: true },
  { label: "no schedule ends before", color: "--warning", dashed: true },
];

interface ProgressChartProps {
  readonly history: readonly ProgressSample[];
  readonly summary: FileSetRow;
  readonly nowMilliseconds: number;
}

function CompletionChart(props: ProgressChartProps & { readonly atBest: AtBest | null }) {
  const { history, summary, atBest, nowMilliseconds } = props;
  const completion = { summary, atBest, nowMilliseconds };
  const data = useMemo(() => completionSeries(history, completion), [history, summary, atBest]);
  return (
    <Chart
      label={`Completion of ${summary.fileSet} over time`}
      series={completionLines}
      data={data}
      formatValue={(percent) => `${Math.round(percent)} %`}
      atLeast={100}
      atMost={100}
    />
  );
}

const rate: readonly ChartSeries[] = [{ label: "new at all targets together", color: "--moving", filled: true }];

function RateChart({ history, summary, nowMilliseconds }: ProgressChartProps) {
  const data = useMemo(() => rateSeries(history, summary, nowMilliseconds), [history, summary]);
  return <Chart label="Rate over time" series={rate} data={data} formatValue={axisRateText} atLeast={1_000_000} />;
}

function About({ row, versions }: { readonly row: FileSetRow; readonly versions: readonly FileSetRow[] }) {
  return (
    <Facts
      facts={[
        ["Size", `${bytesText(row.totalBytes)} in ${plural(row.files, "file")}, ${plural(row.blocks, "block")}`],
        [
          "Goes to",
          <a class="link mono" href={agentsHref(row.selector)}>
            {row.selector}
          </a>,
        ],
        ["Published", dateText(row.createdAtMilliseconds)],
        ["Priority", String(row.priority)],
        [
          "Versions",
          <span class="labels all">
            {versions
              .toSorted((a, b) => b.sequence - a.sequence)
              .map(({ fileSet, version, active }) => (
                <a
                  key={fileSet}
                  class="label"
                  href={fileSetHref(fileSet)}
                  aria-current={fileSet === row.fileSet ? "page" : undefined}
                >
                  {version}
                  {active && " · active"}
                </a>
              ))}
          </span>,
        ],
      ]}
    />
  );
}
