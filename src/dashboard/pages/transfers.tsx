/** What is on its way now, and what went wrong lately. */
import type { FailureRow } from "../../protocol/api/rows.ts";
import { Badge, Loading, Message, PageHead, Panel, Tile } from "../components/basics.tsx";
import { DataTable, type Column } from "../components/data-table.tsx";
import { FlowTable } from "../components/flow-table.tsx";
import { agoText, countText, dateText, plural, rateText } from "../format.ts";
import { useTopic } from "../live/live-context.ts";
import { agentHref, fileSetHref, resourceHref } from "../router.ts";

export function TransfersPage() {
  const transfers = useTopic("transfers");
  const controller = useTopic("overview")?.controller;
  if (transfers === undefined) return <Loading />;
  const { totals, flows, failures } = transfers;
  const allocated = flows.reduce((sum, { allocatedBitsPerSecond }) => sum + allocatedBitsPerSecond, 0);
  const measured = flows.reduce((sum, { measuredBitsPerSecond }) => sum + measuredBitsPerSecond, 0);
  const note = totals.cut ? `the ${flows.length} largest of ${totals.flows} pairs` : plural(totals.flows, "pair");
  return (
    <>
      <PageHead title="Transfers" />
      <div class="tiles">
        <Tile label="Lanes" value={countText(totals.lanes)} note={`between ${plural(totals.flows, "pair")}`} />
        <Tile label="Measured" value={rateText(measured)} note={`of ${rateText(allocated)} allocated`} />
        <Tile label="Lanes opened" value={countText(controller?.lanesOpened ?? 0)} note="since the start" />
        <Tile label="Lanes failed" value={countText(controller?.lanesFailed ?? 0)} note="since the start" />
      </div>
      <Panel title="Running now" note={note} bare>
        <FlowTable rows={flows} height="min(520px, 60vh)" none="Nothing is on its way" />
      </Panel>
      <Panel title="Recent failures" note={plural(failures.length, "report")} bare>
        <DataTable
          label="Recent failures"
          columns={failureColumns}
          rows={failures}
          keyOf={({ failure }) => failure}
          sorting={{ key: "when", descending: true }}
          height="min(420px, 60vh)"
          empty={<Message title="No failure has been reported" />}
        />
      </Panel>
    </>
  );
}

const failureColumns: readonly Column<FailureRow>[] = [
  {
    key: "when",
    title: "When",
    width: "128px",
    sortBy: ({ failure }) => Number(failure),
    render: ({ atMilliseconds }) => (
      <time dateTime={new Date(atMilliseconds).toISOString()} title={dateText(atMilliseconds)}>
        {agoText(atMilliseconds, Date.now())}
      </time>
    ),
  },
  {
    key: "component",
    title: "Put down to",
    sortBy: ({ component }) => component,
    render: ({ component, certain, alsoSuspected }) => (
      <a class="name cut" href={resourceHref(component)} title={[component, ...alsoSuspected].join(", ")}>
        {component}
        {!certain && <span class="faint"> (suspected)</span>}
      </a>
    ),
  },
  {
    key: "kind",
    title: "What",
    width: "132px",
    sortBy: ({ kind }) => kind,
    render: ({ kind, certain }) => <Badge tone={certain ? "bad" : "warning"}>{kind}</Badge>,
  },
  {
    key: "reporter",
    title: "Seen by",
    width: "12%",
    rank: 2,
    sortBy: ({ reporter }) => reporter,
    render: ({ reporter }) => (
      <a class="cut" href={agentHref(reporter)}>
        {reporter}
      </a>
    ),
  },
  {
    key: "fileSet",
    title: "File set",
    width: "14%",
    rank: 3,
    sortBy: ({ fileSet }) => fileSet ?? "",
    render: ({ fileSet }) =>
      fileSet === null ? (
        <span class="faint">–</span>
      ) : (
        <a class="cut" href={fileSetHref(fileSet)}>
          {fileSet}
        </a>
      ),
  },
  {
    key: "detail",
    title: "Detail",
    width: "34%",
    rank: 2,
    render: ({ detail }) => (
      <span class="cut muted" title={detail}>
        {detail}
      </span>
    ),
  },
];
