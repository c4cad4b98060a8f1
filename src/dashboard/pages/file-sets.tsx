/** All versions of all file sets. */
import { useMemo, useState } from "preact/hooks";
import { Loading, Message, PageHead, Panel } from "../components/basics.tsx";
import { SearchField, Segments } from "../components/controls.tsx";
import { FileSetTable } from "../components/file-set-table.tsx";
import { isUnderWay } from "../file-set-state.ts";
import { plural } from "../format.ts";
import { useTopic } from "../live/live-context.ts";
import { NoFileSets } from "./overview.tsx";

const filters = ["all", "under way", "active"] as const;

export function FileSetsPage() {
  const overview = useTopic("overview");
  const [text, setText] = useState("");
  const [filter, setFilter] = useState<(typeof filters)[number]>("all");
  const all = overview?.fileSets;
  const rows = useMemo(
    () =>
      (all ?? []).filter(
        (row) =>
          row.fileSet.toLowerCase().includes(text.trim().toLowerCase()) &&
          (filter === "all" || (filter === "active" ? row.active : isUnderWay(row))),
      ),
    [all, text, filter],
  );
  if (all === undefined) return <Loading />;
  return (
    <>
      <PageHead title="File sets">
        <Segments label="Which file sets" choices={filters} chosen={filter} onChoose={setFilter} />
        <SearchField label="Part of a name" value={text} onInput={setText} />
      </PageHead>
      <Panel title={plural(rows.length, "version")} bare>
        {all.length === 0 ? (
          <NoFileSets />
        ) : rows.length === 0 ? (
          <Message title="None is like that" />
        ) : (
          <FileSetTable rows={rows} />
        )}
      </Panel>
    </>
  );
}
