/** Everything with a bandwidth capability, and every component that has failed. */
import { useMemo, useState } from "preact/hooks";
import type { ResourceRow } from "../../protocol/api/rows.ts";
import { Badge, Loading, Message, Meter, PageHead, Panel } from "../components/basics.tsx";
import { OrderButton, SearchField, Segments } from "../components/controls.tsx";
import { DataTable, type Column } from "../components/data-table.tsx";
import { useToneOf } from "../components/use-tone.ts";
import { bytesText, countText, plural, rateText, secondsText, shareOf } from "../format.ts";
import { useTopic } from "../live/live-context.ts";
import { pathOf } from "../live/requests.ts";
import { resourceHref } from "../router.ts";

const kinds = ["sites and links", "interfaces", "components", "all"] as const;
type Kinds = (typeof kinds)[number];

const kindsOf: Readonly<Record<Kinds, (row: ResourceRow) => boolean>> = {
  "sites and links": ({ kind }) => kind === "siteUplink" || kind === "siteDownlink" || kind === "link",
  interfaces: ({ kind }) => kind === "nicUp" || kind === "nicDown",
  components: ({ kind }) => kind === "component",
  all: () => true,
};

export function ResourcesPage() {
  const all = useTopic("resources")?.resources;
  const [kind, setKind] = useState<Kinds>("sites and links");
  const [text, setText] = useState("");
  const rows = useMemo(
    () =>
      (all ?? []).filter((row) => kindsOf[kind](row) && row.resource.toLowerCase().includes(text.trim().toLowerCase())),
    [all, kind, text],
  );
  if (all === undefined) return <Loading />;
  const outOfUse = all.filter((row) => row.outOfUse);
  return (
    <>
      <PageHead title="Resources">
        <Segments label="Kind" choices={kinds} chosen={kind} onChoose={setKind} />
        <SearchField label="Part of a name" value={text} onInput={setText} />
      </PageHead>
      {outOfUse.length > 0 && (
        <Panel title={<span class="bad">Out of use</span>} note={plural(outOfUse.length, "component")} bare>
          <ul class="out-of-use">
            {outOfUse.map((row) => (
              <OutOfUse key={row.resource} row={row} />
            ))}
          </ul>
        </Panel>
      )}
      <Panel title={plural(rows.length, "resource")} bare>
        <DataTable
          label="Resources"
          columns={columns}
          rows={rows}
          keyOf={({ resource }) => resource}
          sorting={{ key: "use", descending: true }}
          empty={<None kind={kind} />}
        />
      </Panel>
    </>
  );
}

function None({ kind }: { readonly kind: Kinds }) {
  if (kind === "components") return <Message title="No component has failed" />;
  return (
    <Message title="There is none like that">
      <span>Sites and links stand in the topology that the controller was given:</span>
      <code>sluice topology show</code>
    </Message>
  );
}

function OutOfUse({ row }: { readonly row: ResourceRow }) {
  const { resource, failures, reason, retryInSeconds } = row;
  return (
    <li>
      <div class="out-of-use-text">
        <a class="name cut" href={resourceHref(resource)}>
          {resource}
        </a>
        <span class="muted">
          {plural(failures, "failure")}
          {reason !== undefined && `: ${reason}`}
          {retryInSeconds !== undefined && `; tried again in ${secondsText(Math.ceil(retryInSeconds))}`}
        </span>
      </div>
      <OrderButton path={pathOf("resources", resource, "put-back")} primary>
        Put back
      </OrderButton>
    </li>
  );
}

const columns: readonly Column<ResourceRow>[] = [
  {
    key: "resource",
    title: "Resource",
    sortBy: ({ resource }) => resource,
    render: ({ resource }) => (
      <a class="name cut" href={resourceHref(resource)} title={resource}>
        {resource}
      </a>
    ),
  },
  {
    key: "use",
    title: "Use",
    width: "24%",
    sortBy: (row) => shareOf(row.measuredBitsPerSecond, row.capabilityBitsPerSecond ?? Number.MAX_SAFE_INTEGER),
    render: (row) => <Use row={row} />,
  },
  rateColumn("measured", "Measured", (row) => row.measuredBitsPerSecond),
  { ...rateColumn("allocated", "Allocated", (row) => row.allocatedBitsPerSecond), rank: 2 },
  {
    key: "capability",
    title: "Capability",
    width: "104px",
    number: true,
    rank: 2,
    sortBy: ({ capabilityBitsPerSecond }) => capabilityBitsPerSecond ?? Number.MAX_SAFE_INTEGER,
    render: ({ capabilityBitsPerSecond, kind }) =>
      capabilityBitsPerSecond === null ? (
        <span class="faint">{kind === "component" ? "–" : "no limit"}</span>
      ) : (
        rateText(capabilityBitsPerSecond)
      ),
  },
  {
    key: "carried",
    title: "Carried",
    width: "96px",
    number: true,
    rank: 3,
    sortBy: ({ carriedBytes }) => carriedBytes,
    render: ({ carriedBytes }) => bytesText(carriedBytes),
  },
  {
    key: "failures",
    title: "Failures",
    width: "84px",
    number: true,
    rank: 3,
    sortBy: ({ failures }) => failures,
    render: ({ failures, reason }) =>
      failures === 0 ? (
        <span class="faint">0</span>
      ) : (
        <span class="bad" title={reason}>
          {countText(failures)}
        </span>
      ),
  },
];

function Use({ row }: { readonly row: ResourceRow }) {
  const {
    measuredBitsPerSecond: measured,
    allocatedBitsPerSecond: allocated,
    capabilityBitsPerSecond: capability,
  } = row;
  if (row.outOfUse) return <Badge tone="bad">out of use</Badge>;
  if (capability === null) return <span class="faint">–</span>;
  return <Meter share={shareOf(measured, capability)} behind={shareOf(allocated, capability)} tone={useToneOf(row)} />;
}

function rateColumn(key: string, title: string, rateOf: (row: ResourceRow) => number): Column<ResourceRow> {
  return {
    key,
    title,
    width: "104px",
    number: true,
    sortBy: rateOf,
    render: (row) => (rateOf(row) > 0 ? rateText(rateOf(row)) : <span class="faint">–</span>),
  };
}
