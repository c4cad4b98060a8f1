/** One resource: what it is used for against what it may, and who uses it. */
import { useMemo } from "preact/hooks";
import type { ResourceRow, UsageSample } from "../../protocol/api/rows.ts";
import { Badge, Loading, Message, PageHead, Panel, Tile } from "../components/basics.tsx";
import { Chart, type ChartSeries } from "../components/chart.tsx";
import { OrderButton } from "../components/controls.tsx";
import { FlowTable } from "../components/flow-table.tsx";
import { useToneOf } from "../components/use-tone.ts";
import { bytesText, countText, percentText, plural, rateText, secondsText, axisRateText } from "../format.ts";
import { useTopic } from "../live/live-context.ts";
import { pathOf } from "../live/requests.ts";
import { agentHref, agentsHref } from "../router.ts";

export function ResourcePage({ resource: name }: { readonly resource: string }) {
  const resource = useTopic("resource", name);
  const above = { href: "#/resources", text: "Resources" };
  if (resource === undefined) return <Loading />;
  const { summary, flows, history } = resource;
  if (summary === null) {
    return (
      <>
        <PageHead title={name} above={above} />
        <Message title="There is no such resource, and no component of this name has failed" />
      </>
    );
  }
  const isComponent = summary.kind === "component";
  return (
    <>
      <PageHead title={name} above={above} beside={summary.outOfUse && <Badge tone="bad">out of use</Badge>}>
        <Owner row={summary} />
        {summary.outOfUse && (
          <OrderButton primary path={pathOf("resources", name, "put-back")}>
            Put back
          </OrderButton>
        )}
      </PageHead>
      {summary.reason !== undefined && (
        <div class={`notice ${summary.outOfUse ? "notice-bad" : "notice-warning"}`}>
          <span>
            {plural(summary.failures, "failure")}: {summary.reason}
            {summary.retryInSeconds !== undefined &&
              `; it is tried again by itself in ${secondsText(Math.ceil(summary.retryInSeconds))}`}
          </span>
        </div>
      )}
      {!isComponent && <Tiles row={summary} />}
      {!isComponent && (
        <Panel title="Over time">
          <UsageChart history={history} capability={summary.capabilityBitsPerSecond} name={name} />
        </Panel>
      )}
      <Panel title="Who uses it now" note={plural(flows.length, "pair")} bare>
        <FlowTable rows={flows} height="480px" none="Nothing goes over it" />
      </Panel>
    </>
  );
}

function Owner({ row }: { readonly row: ResourceRow }) {
  if (row.kind === "link") return null;
  const href =
    row.kind === "siteUplink" || row.kind === "siteDownlink" ? agentsHref(`site=${row.owner}`) : agentHref(row.owner);
  return (
    <a class="button" href={href}>
      {row.kind === "siteUplink" || row.kind === "siteDownlink" ? `Agents of ${row.owner}` : row.owner}
    </a>
  );
}

function Tiles({ row }: { readonly row: ResourceRow }) {
  const { capabilityBitsPerSecond: capability, measuredBitsPerSecond: measured } = row;
  const tone = useToneOf(row);
  return (
    <div class="tiles">
      <Tile
        label="Measured"
        value={rateText(measured)}
        tone={tone === "bad" ? "bad" : undefined}
        note={capability === null ? "" : `${percentText(measured, capability)} of its capability`}
      />
      <Tile label="Allocated" value={rateText(row.allocatedBitsPerSecond)} />
      <Tile label="Capability" value={capability === null ? "no limit" : rateText(capability)} />
      <Tile label="Carried" value={bytesText(row.carriedBytes)} note="since the start" />
      <Tile label="Failures" tone={row.failures > 0 ? "bad" : undefined} value={countText(row.failures)} />
    </div>
  );
}

const series: readonly ChartSeries[] = [
  { label: "measured", color: "--moving", filled: true },
  { label: "allocated", color: "--accent" },
  { label: "capability", color: "--warning", dashed: true },
];

function UsageChart(props: {
  readonly history: readonly UsageSample[];
  readonly capability: number | null;
  readonly name: string;
}) {
  const { history, capability, name } = props;
  const data = useMemo(
    () => [
      history.map(({ atMilliseconds }) => atMilliseconds / 1000),
      history.map(({ measuredBitsPerSecond }) => measuredBitsPerSecond),
      history.map(({ allocatedBitsPerSecond }) => allocatedBitsPerSecond),
      history.map(({ capabilityBitsPerSecond }) => capabilityBitsPerSecond),
    ],
    [history],
  );
  return (
    <Chart
      label={`Use of ${name} over time`}
      series={series}
      data={data}
      formatValue={axisRateText}
      atLeast={capability === null ? 1_000_000 : capability * 1.05}
      heightPixels={260}
    />
  );
}
