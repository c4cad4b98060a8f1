/** File sets with their progress: the same columns on the overview and on the page of all file sets. */
import type { FileSetRow } from "../../protocol/api/rows.ts";
import { fileSetState, isUnderWay } from "../file-set-state.ts";
import { bytesText, percentText, rateText, secondsText, shareOf } from "../format.ts";
import { fileSetHref, resourceHref } from "../router.ts";
import { Badge, MeterRow, type Tone } from "./basics.tsx";
import { DataTable, type Column } from "./data-table.tsx";

const columns: readonly Column<FileSetRow>[] = [
  {
    key: "fileSet",
    title: "File set",
    width: "20%",
    sortBy: ({ name, sequence }) => `${name} ${sequence}`,
    render: (row) => (
      <a class="name cut" href={fileSetHref(row.fileSet)} title={row.fileSet}>
        {row.name}
        <span class="faint">@{row.version}</span>
      </a>
    ),
  },
  {
    key: "state",
    title: "State",
    width: "116px",
    rank: 2,
    sortBy: (row) => fileSetState(row).word,
    render: (row) => {
      const { tone, word, title } = fileSetState(row);
      return (
        <Badge tone={tone} title={title}>
          {word}
        </Badge>
      );
    },
  },
  {
    key: "progress",
    meter: true,
    title: "Progress",
    sortBy: ({ heldBytes, wantedBytes }) => shareOf(heldBytes, wantedBytes),
    render: (row) => (
      <MeterRow
        share={shareOf(row.heldBytes, row.wantedBytes)}
        text={percentText(row.heldBytes, row.wantedBytes)}
        tone={progressTone(row)}
      />
    ),
  },
  {
    key: "held",
    title: "Agents",
    width: "96px",
    number: true,
    rank: 3,
    sortBy: ({ held, targets }) => shareOf(held, targets),
    render: ({ held, targets }) => `${held} / ${targets}`,
  },
  {
    key: "size",
    title: "Size",
    width: "92px",
    number: true,
    rank: 3,
    sortBy: ({ totalBytes }) => totalBytes,
    render: ({ totalBytes }) => bytesText(totalBytes),
  },
  {
    key: "rate",
    title: "Rate",
    width: "100px",
    number: true,
    rank: 2,
    sortBy: ({ rateBitsPerSecond }) => rateBitsPerSecond,
    render: ({ rateBitsPerSecond }) =>
      rateBitsPerSecond > 0 ? rateText(rateBitsPerSecond) : <span class="faint">–</span>,
  },
  {
    key: "left",
    title: "Time left",
    width: "92px",
    number: true,
    sortBy: (row) => (isUnderWay(row) ? (row.secondsLeft ?? Number.MAX_SAFE_INTEGER) : -1),
    render: (row) => (isUnderWay(row) ? secondsText(row.secondsLeft) : <span class="faint">–</span>),
  },
  {
    key: "heldBackBy",
    title: "Held back by",
    width: "18%",
    rank: 2,
    render: ({ heldBackBy }) => <HeldBack heldBackBy={heldBackBy} />,
  },
];

export function HeldBack({ heldBackBy }: { readonly heldBackBy: FileSetRow["heldBackBy"] }) {
  if (heldBackBy === null) return <span class="faint">–</span>;
  const { resource, text } = heldBackBy;
  if (resource === null) return <span title={text}>{text}</span>;
  return (
    <a class="link" href={resourceHref(resource)} title={`${text}: ${resource}`}>
      {text}
    </a>
  );
}

function progressTone(row: FileSetRow): Tone {
  if (row.paused || row.targets === 0) return "quiet";
  return row.held === row.targets ? "good" : "moving";
}

/** What is under way first, the newest of it at the top. */
function newestUnderWayFirst(a: FileSetRow, b: FileSetRow): number {
  return Number(isUnderWay(b)) - Number(isUnderWay(a)) || b.sequence - a.sequence;
}

export function FileSetTable({ rows, height }: { readonly rows: readonly FileSetRow[]; readonly height?: string }) {
  return (
    <DataTable
      label="File sets"
      columns={columns}
      rows={rows.toSorted(newestUnderWayFirst)}
      keyOf={({ fileSet }) => fileSet}
      {...(height === undefined ? {} : { height })}
    />
  );
}
