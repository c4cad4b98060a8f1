/** The fleet at a glance: what moves, how far everything is, what is wrong. */
import type { TopicData } from "../../protocol/api/events.ts";
import { Loading, Message, PageHead, Panel, Tile } from "../components/basics.tsx";
import { FileSetTable } from "../components/file-set-table.tsx";
import { NetworkMap } from "../components/network-map.tsx";
import { isUnderWay } from "../file-set-state.ts";
import { countText, percentText, plural, rateText, secondsText } from "../format.ts";
import { useTopic } from "../live/live-context.ts";

type Overview = TopicData<"overview">;

export function OverviewPage() {
  const overview = useTopic("overview");
  if (overview === undefined) return <Loading />;
  const { controller, sites, links, fileSets } = overview;
  return (
    <>
      <PageHead title="Overview" />
      {controller.waitsForAgents && (
        <div class="notice notice-warning" role="status">
          The controller has just started and waits for its agents to come back. Transfers go on in a moment.
        </div>
      )}
      {controller.outOfUse > 0 && (
        <div class="notice notice-bad" role="status">
          <strong>{plural(controller.outOfUse, "component is", "components are")} out of use after failures.</strong>
          <a class="link" href="#/resources">
            See which, and put back
          </a>
        </div>
      )}
      <Tiles overview={overview} />
      <Panel title="Network" note={<LinksLegend />} bare={sites.length === 0}>
        {sites.length === 0 ? <NoAgents /> : <NetworkMap sites={sites} links={links} />}
      </Panel>
      <Panel title="File sets" note={plural(fileSets.length, "version")} bare>
        {fileSets.length === 0 ? <NoFileSets /> : <FileSetTable rows={fileSets} height="min(560px, 70vh)" />}
      </Panel>
    </>
  );
}

function LinksLegend() {
  return (
    <span class="heat-legend">
      <span>
        <i class="swatch moving" /> flowing
      </span>
      <span>
        <i class="swatch warning" /> at its limit
      </span>
      <span>
        <i class="swatch bad" /> over it, or out of use
      </span>
    </span>
  );
}

function Tiles({ overview }: { readonly overview: Overview }) {
  const { controller, fileSets } = overview;
  const away = controller.agentsKnown - controller.agentsOnline;
  return (
    <div class="tiles">
      <Tile
        label="Agents online"
        href="#/agents"
        value={
          <>
            {countText(controller.agentsOnline)} <small>of {countText(controller.agentsKnown)}</small>
          </>
        }
        note={away === 0 ? "all are there" : <span class="warning">{countText(away)} offline</span>}
      />
      <Tile
        label="Agents receive"
        href="#/transfers"
        value={rateText(controller.receivedBitsPerSecond)}
        note={`over ${plural(controller.lanes, "lane")}`}
      />
      <ProgressTiles fileSets={fileSets} />
      <Tile
        label="Out of use"
        href="#/resources"
        tone={controller.outOfUse > 0 ? "bad" : undefined}
        value={countText(controller.outOfUse)}
        note={controller.outOfUse > 0 ? "see resources" : "all components work"}
      />
    </div>
  );
}

function ProgressTiles({ fileSets }: { readonly fileSets: Overview["fileSets"] }) {
  const underWay = fileSets.filter(isUnderWay);
  if (underWay.length === 0) {
    return (
      <>
        <Tile
          label="Progress"
          href="#/filesets"
          value={fileSets.length === 0 ? "–" : "100 %"}
          note="nothing is under way"
        />
        <Tile label="Time left" value="–" note={fileSets.length === 0 ? "" : "everything is in place"} />
      </>
    );
  }
  const held = underWay.reduce((sum, { heldBytes }) => sum + heldBytes, 0);
  const wanted = underWay.reduce((sum, { wantedBytes }) => sum + wantedBytes, 0);
  const times = underWay.map(({ secondsLeft }) => secondsLeft);
  const longest = times.includes(null) ? null : Math.max(0, ...times.map(Number));
  return (
    <>
      <Tile
        label="Progress"
        href="#/filesets"
        value={percentText(held, wanted)}
        note={`${underWay.length} of ${fileSets.length} under way`}
      />
      <Tile
        label="Time left"
        value={secondsText(longest)}
        note={longest === null ? "not known yet" : "until the last is in place"}
      />
    </>
  );
}

function NoAgents() {
  return (
    <Message title="No agent has connected yet">
      <span>Start one on each host that should hold file sets:</span>
      <code>sluice agent --controller {location.origin} --data /var/lib/sluice --name $(hostname) --site SITE</code>
    </Message>
  );
}

export function NoFileSets() {
  return (
    <Message title="No file set has been published yet">
      <span>Publish a directory to every agent:</span>
      <code>sluice publish DIRECTORY --fileset NAME --version 1 --wait</code>
    </Message>
  );
}
