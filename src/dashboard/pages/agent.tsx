/** One agent: how it is, what it holds and needs, what goes in and out. */
import type { AgentFileSetRow, AgentRow } from "../../protocol/api/rows.ts";
import { agentState, statusWord } from "../agent-state.ts";
import { Badge, Facts, Labels, Loading, Message, MeterRow, PageHead, Panel, Tile } from "../components/basics.tsx";
import { OrderButton } from "../components/controls.tsx";
import { DataTable, type Column } from "../components/data-table.tsx";
import { FlowTable } from "../components/flow-table.tsx";
import { bytesText, countText, percentText, plural, rateText, shareOf } from "../format.ts";
import { useTopic } from "../live/live-context.ts";
import { pathOf } from "../live/requests.ts";
import { agentsHref, fileSetHref, resourceHref } from "../router.ts";

export function AgentPage({ agent: name }: { readonly agent: string }) {
  const agent = useTopic("agent", name);
  const above = { href: "#/agents", text: "Agents" };
  if (agent === undefined) return <Loading />;
  const { summary, fileSets, flows } = agent;
  if (summary === null) {
    return (
      <>
        <PageHead title={name} above={above} />
        <Message title="The controller knows no agent of this name" />
      </>
    );
  }
  const { tone, word, title } = agentState(summary);
  return (
    <>
      <PageHead
        title={name}
        above={above}
        beside={
          <Badge tone={tone} title={title}>
            {word}
          </Badge>
        }
      >
        <Orders row={summary} />
      </PageHead>
      <AgentTiles row={summary} />
      <div class="columns">
        <Panel title="File sets" note={plural(fileSets.length, "file set")} bare>
          <DataTable
            label="File sets"
            columns={fileSetColumns}
            rows={fileSets}
            keyOf={({ fileSet }) => fileSet}
            sorting={{ key: "fileSet", descending: false }}
            height="460px"
            empty={<Message title="It neither holds nor needs a file set" />}
          />
        </Panel>
        <Panel title="About it">
          <About row={summary} />
        </Panel>
      </div>
      <Panel title="Transfers in and out" note={plural(flows.length, "pair")} bare>
        <FlowTable rows={flows} height="420px" none="Nothing goes in or out" />
      </Panel>
    </>
  );
}

function AgentTiles({ row }: { readonly row: AgentRow }) {
  return (
    <div class="tiles">
      <Tile
        label="Holds"
        value={percentText(row.heldBytes, row.wantedBytes)}
        note={`${row.fileSetsHeld} of ${plural(row.fileSetsWanted, "file set")}`}
      />
      <Tile label="Receives" value={rateText(row.inBitsPerSecond)} note={plural(row.lanesIn, "lane")} />
      <Tile label="Sends" value={rateText(row.outBitsPerSecond)} note={plural(row.lanesOut, "lane")} />
      <Tile label="Free disk" value={bytesText(row.freeDiskBytes)} />
      <Tile label="Failures" tone={row.failures > 0 ? "bad" : undefined} value={countText(row.failures)} />
    </div>
  );
}

function About({ row }: { readonly row: AgentRow }) {
  const up = `agents.${row.agent}.nic.up`;
  const down = `agents.${row.agent}.nic.down`;
  return (
    <Facts
      facts={[
        [
          "Site",
          <a class="link" href={agentsHref(`site=${row.site}`)}>
            {row.site}
          </a>,
        ],
        ["Address", <span class="mono">{row.address}</span>],
        ["Labels", <Labels labels={row.labels} all />],
        [
          "Interface",
          <>
            <a class="link" href={resourceHref(up)}>
              up
            </a>
            {", "}
            <a class="link" href={resourceHref(down)}>
              down
            </a>
          </>,
        ],
      ]}
    />
  );
}

function Orders({ row }: { readonly row: AgentRow }) {
  const { agent, drained, blocked, outOfUse } = row;
  return (
    <>
      {outOfUse && (
        <OrderButton primary path={pathOf("resources", `agents.${agent}`, "put-back")}>
          Put back
        </OrderButton>
      )}
      <OrderButton
        path={pathOf("agents", agent, drained ? "undrain" : "drain")}
        title="A drained agent goes on fetching, and no others fetch from it"
      >
        {drained ? "Undrain" : "Drain"}
      </OrderButton>
      <OrderButton
        path={pathOf("agents", agent, blocked ? "unblock" : "block")}
        {...(blocked
          ? {}
          : { confirm: `Block ${agent}? It is cut off: it gets nothing and gives nothing until it is unblocked.` })}
      >
        {blocked ? "Unblock" : "Block"}
      </OrderButton>
    </>
  );
}

const fileSetColumns: readonly Column<AgentFileSetRow>[] = [
  {
    key: "fileSet",
    title: "File set",
    sortBy: ({ fileSet }) => fileSet,
    render: ({ fileSet, current }) => (
      <a class="name cut" href={fileSetHref(fileSet)} title={fileSet}>
        {fileSet} {current && <span class="faint">current</span>}
      </a>
    ),
  },
  {
    key: "status",
    title: "Status",
    width: "120px",
    sortBy: ({ status }) => status,
    render: ({ status, problem }) => {
      const { tone, word } = statusWord(status);
      return (
        <Badge tone={tone} title={problem}>
          {word}
        </Badge>
      );
    },
  },
  {
    key: "progress",
    meter: true,
    title: "Holds",
    width: "32%",
    sortBy: ({ heldBytes, totalBytes }) => shareOf(heldBytes, totalBytes),
    render: ({ heldBytes, totalBytes, status }) => (
      <MeterRow
        share={shareOf(heldBytes, totalBytes)}
        text={percentText(heldBytes, totalBytes)}
        tone={status === "held" ? "good" : "moving"}
      />
    ),
  },
  {
    key: "size",
    title: "Size",
    width: "92px",
    number: true,
    rank: 2,
    sortBy: ({ totalBytes }) => totalBytes,
    render: ({ totalBytes }) => bytesText(totalBytes),
  },
];
