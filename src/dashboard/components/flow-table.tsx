/** Lanes from one end to another, with what they bring against what they are allocated. */
import type { FlowRow } from "../../protocol/api/rows.ts";
import { bytesText, rateText, shareOf } from "../format.ts";
import { agentHref, fileSetHref } from "../router.ts";
import { Message, Meter } from "./basics.tsx";
import { DataTable, type Column } from "./data-table.tsx";

const columns: readonly Column<FlowRow>[] = [
  { key: "source", title: "From", sortBy: ({ source }) => source, render: (row) => <Source row={row} /> },
  {
    key: "target",
    title: "To",
    sortBy: ({ target }) => target,
    render: ({ target, targetSite }) => <End agent={target} site={targetSite} />,
  },
  {
    key: "use",
    title: "Rate against allocation",
    width: "22%",
    rank: 2,
    sortBy: ({ measuredBitsPerSecond: measured, allocatedBitsPerSecond: allocated }) => shareOf(measured, allocated),
    render: ({ measuredBitsPerSecond: measured, allocatedBitsPerSecond: allocated }) => (
      <Meter share={shareOf(measured, allocated)} tone="moving" />
    ),
  },
  {
    key: "measured",
    title: "Rate",
    width: "102px",
    number: true,
    sortBy: ({ measuredBitsPerSecond }) => measuredBitsPerSecond,
    render: ({ measuredBitsPerSecond }) => rateText(measuredBitsPerSecond),
  },
  {
    key: "allocated",
    title: "Allocated",
    width: "102px",
    number: true,
    rank: 2,
    sortBy: ({ allocatedBitsPerSecond }) => allocatedBitsPerSecond,
    render: ({ allocatedBitsPerSecond: allocated }) => (
      <span class="muted">{allocated > 0 ? rateText(allocated) : "–"}</span>
    ),
  },
  {
    key: "lanes",
    title: "Lanes",
    width: "70px",
    number: true,
    rank: 3,
    sortBy: ({ lanes }) => lanes,
    render: ({ lanes }) => lanes,
  },
  {
    key: "pending",
    title: "Queued",
    width: "92px",
    number: true,
    rank: 3,
    sortBy: ({ pendingBytes }) => pendingBytes,
    render: ({ pendingBytes }) => bytesText(pendingBytes),
  },
  {
    key: "fileSets",
    title: "File set",
    width: "16%",
    rank: 2,
    sortBy: ({ fileSets }) => fileSets[0] ?? "",
    render: ({ fileSets, lanes }) => (
      <span class="cut" title={fileSets.join(", ")}>
        {fileSets.map((fileSet, index) => (
          <>
            {index > 0 && ", "}
            <a class={lanes === 0 ? "faint" : ""} href={fileSetHref(fileSet)}>
              {fileSet}
            </a>
          </>
        ))}
      </span>
    ),
  },
];

function Source({ row }: { readonly row: FlowRow }) {
  if (!row.publisher) return <End agent={row.source} site={row.sourceSite ?? ""} />;
  return (
    <span class="cut">
      <span class="name">publisher</span> <span class="faint">{row.sourceSite ?? ""}</span>
    </span>
  );
}

function End({ agent, site }: { readonly agent: string; readonly site: string }) {
  return (
    <a class="cut" href={agentHref(agent)} title={`${agent}, site ${site}`}>
      <span class="name">{agent}</span> <span class="faint">{site}</span>
    </a>
  );
}

export function FlowTable(props: {
  readonly rows: readonly FlowRow[];
  readonly height?: string;
  readonly none: string;
}) {
  const { rows, height, none } = props;
  return (
    <DataTable
      label="Transfers"
      columns={columns}
      rows={rows}
      keyOf={({ flow }) => flow}
      sorting={{ key: "measured", descending: true }}
      empty={<Message title={none} />}
      {...(height === undefined ? {} : { height })}
    />
  );
}
