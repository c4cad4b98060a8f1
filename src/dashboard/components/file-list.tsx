/** The files of a version, fetched a page at a time: there may be millions. */
import { useEffect, useState } from "preact/hooks";
import { bytesText, countText, plural } from "../format.ts";
import { ask, pathOf } from "../live/requests.ts";
import { Message, Panel } from "./basics.tsx";
import { DataTable, type Column } from "./data-table.tsx";

/** Files on one page. */
const filesPerPage = 500;

interface FileRow {
  readonly path: string;
  readonly lengthBytes: number;
  readonly version: number;
  readonly growing: boolean;
}

interface FilePage {
  readonly files: readonly FileRow[];
  readonly total: number;
}

/** `files` and `blocks` are what the version has now: when they change, the page is fetched anew. */
export function FileList(props: {
  readonly name: string;
  readonly version: string;
  readonly files: number;
  readonly blocks: number;
}) {
  const { name, version, files, blocks } = props;
  const [offset, setOffset] = useState(0);
  const [page, setPage] = useState<FilePage | undefined>(undefined);
  const [problem, setProblem] = useState<string | undefined>(undefined);
  useEffect(() => {
    let wanted = true;
    const path = `${pathOf("filesets", name, "versions", version, "files")}?offset=${offset}&limit=${filesPerPage}`;
    const load = async (): Promise<void> => {
      try {
        const next = await ask<FilePage>(path);
        if (!wanted) return;
        setPage(next);
        setProblem(undefined);
      } catch (error) {
        if (wanted) setProblem(error instanceof Error ? error.message : String(error));
      }
    };
    void load();
    return () => {
      wanted = false;
    };
  }, [name, version, offset, files, blocks]);
  const total = page?.total ?? files;
  return (
    <Panel title="Files" note={<Pages total={total} offset={offset} onOffset={setOffset} />} bare>
      {problem !== undefined && <Message title={problem} />}
      {problem === undefined && (
        <DataTable
          label="Files"
          columns={columns}
          rows={page?.files ?? []}
          keyOf={({ path }) => path}
          height="420px"
          empty={<Message title={page === undefined ? "Waiting for the list of files…" : "It has no files"} />}
        />
      )}
    </Panel>
  );
}

function Pages(props: {
  readonly total: number;
  readonly offset: number;
  readonly onOffset: (offset: number) => void;
}) {
  const { total, offset, onOffset } = props;
  if (total <= filesPerPage) return <>{plural(total, "file")}</>;
  const last = Math.min(total, offset + filesPerPage);
  return (
    <span class="pages">
      <button
        type="button"
        class="button quiet"
        disabled={offset === 0}
        onClick={() => onOffset(offset - filesPerPage)}
      >
        Before
      </button>
      {countText(offset + 1)} to {countText(last)} of {countText(total)}
      <button
        type="button"
        class="button quiet"
        disabled={last >= total}
        onClick={() => onOffset(offset + filesPerPage)}
      >
        Next
      </button>
    </span>
  );
}

const columns: readonly Column<FileRow>[] = [
  {
    key: "path",
    title: "Path",
    sortBy: ({ path }) => path,
    render: ({ path, growing }) => (
      <span class="cut mono" title={path}>
        {path}
        {growing && <span class="moving"> (grows)</span>}
      </span>
    ),
  },
  {
    key: "size",
    title: "Size",
    width: "100px",
    number: true,
    sortBy: ({ lengthBytes }) => lengthBytes,
    render: ({ lengthBytes }) => bytesText(lengthBytes),
  },
  {
    key: "version",
    title: "File version",
    width: "110px",
    number: true,
    rank: 2,
    sortBy: ({ version }) => version,
    render: ({ version }) => version,
  },
];
