/** All agents: found by selector, sorted by any column. */
import { useMemo, useState } from "preact/hooks";
import type { AgentRow } from "../../protocol/api/rows.ts";
import { agentFilter } from "../agent-filter.ts";
import { agentState } from "../agent-state.ts";
import { Badge, Labels, Loading, Message, MeterRow, PageHead, Panel } from "../components/basics.tsx";
import { SearchField } from "../components/controls.tsx";
import { DataTable, type Column } from "../components/data-table.tsx";
import { bytesText, countText, percentText, plural, rateText, shareOf } from "../format.ts";
import { useTopic } from "../live/live-context.ts";
import { agentHref, agentsHref } from "../router.ts";

export function AgentsPage({ selector }: { readonly selector: string }) {
  const all = useTopic("agents")?.agents;
  const [text, setText] = useState(selector);
  const filter = useMemo(() => agentFilter(text), [text]);
  const rows = useMemo(() => (all ?? []).filter(filter.accepts), [all, filter]);
  if (all === undefined) return <Loading />;
  return (
    <>
      <PageHead title="Agents">
        <SearchField
          label="Name, or selector: site=fra,role!=db"
          value={text}
          onInput={setText}
          problem={filter.problem}
        />
      </PageHead>
      {filter.problem !== undefined && (
        <div class="notice notice-warning" role="status">
          {filter.problem}
        </div>
      )}
      <Panel
        title={plural(rows.length, "agent")}
        note={rows.length < all.length ? `of ${countText(all.length)}` : ""}
        bare
      >
        {all.length === 0 ? (
          <Message title="No agent has connected yet">
            <span>Start one on each host:</span>
            <code>sluice agent --controller {location.origin} --data DIRECTORY --name NAME --site SITE</code>
          </Message>
        ) : (
          <DataTable
            label="Agents"
            columns={columns}
            rows={rows}
            keyOf={({ agent }) => agent}
            sorting={{ key: "agent", descending: false }}
            empty={<Message title="No agent is like that" />}
          />
        )}
      </Panel>
    </>
  );
}

const columns: readonly Column<AgentRow>[] = [
  {
    key: "agent",
    title: "Agent",
    sortBy: ({ agent }) => agent,
    render: ({ agent }) => (
      <a class="name cut" href={agentHref(agent)} title={agent}>
        {agent}
      </a>
    ),
  },
  {
    key: "state",
    title: "State",
    width: "112px",
    sortBy: (row) => agentState(row).word,
    render: (row) => {
      const { tone, word, title } = agentState(row);
      return (
        <Badge tone={tone} title={title}>
          {word}
        </Badge>
      );
    },
  },
  {
    key: "site",
    title: "Site",
    width: "10%",
    rank: 2,
    sortBy: ({ site }) => site,
    render: ({ site }) => (
      <a class="cut" href={agentsHref(`site=${site}`)}>
        {site}
      </a>
    ),
  },
  {
    key: "labels",
    title: "Labels",
    width: "16%",
    rank: 3,
    render: ({ labels }) => <Labels labels={labels} />,
  },
  {
    key: "progress",
    meter: true,
    title: "Holds",
    width: "18%",
    sortBy: ({ heldBytes, wantedBytes }) => shareOf(heldBytes, wantedBytes),
    render: ({ heldBytes, wantedBytes }) =>
      wantedBytes === 0 ? (
        <span class="faint">nothing needed</span>
      ) : (
        <MeterRow
          share={shareOf(heldBytes, wantedBytes)}
          text={percentText(heldBytes, wantedBytes)}
          tone={heldBytes >= wantedBytes ? "good" : "moving"}
        />
      ),
  },
  rateColumn("in", "In", ({ inBitsPerSecond }) => inBitsPerSecond),
  rateColumn("out", "Out", ({ outBitsPerSecond }) => outBitsPerSecond),
  {
    key: "failures",
    title: "Failures",
    width: "84px",
    number: true,
    rank: 3,
    sortBy: ({ failures }) => failures,
    render: ({ failures }) =>
      failures === 0 ? <span class="faint">0</span> : <span class="bad">{countText(failures)}</span>,
  },
  {
    key: "disk",
    title: "Free disk",
    width: "96px",
    number: true,
    rank: 2,
    sortBy: ({ freeDiskBytes }) => freeDiskBytes ?? -1,
    render: ({ freeDiskBytes }) => bytesText(freeDiskBytes),
  },
];

function rateColumn(key: string, title: string, rateOf: (row: AgentRow) => number): Column<AgentRow> {
  return {
    key,
    title,
    width: "100px",
    number: true,
    rank: 2,
    sortBy: rateOf,
    render: (row) => (rateOf(row) > 0 ? rateText(rateOf(row)) : <span class="faint">–</span>),
  };
}
