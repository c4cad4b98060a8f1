import { strict as assert } from "node:assert";
import { describe, it } from "node:test";
import { stripVTControlCharacters } from "node:util";
import type { TopicData } from "../../protocol/api/events.ts";
import type { FileSetRow, ResourceRow } from "../../protocol/api/rows.ts";
import { bar } from "./bar.ts";
import { fleetScreen, watchedClosely } from "./fleet-screen.ts";
import type { FleetView } from "./fleet-screen.ts";
import { RateMeter } from "./rate-meter.ts";

const mebibyte = 2 ** 20;

function fileSetRow(more: Partial<FileSetRow> = {}): FileSetRow {
  return {
    fileSet: "index@1",
    name: "index",
    version: "1",
    state: "published",
    active: true,
    paused: false,
    growing: false,
    selector: "all",
    priority: 0,
    sequence: 1,
    files: 10,
    blocks: 100,
    totalBytes: 100 * mebibyte,
    createdAtMilliseconds: 0,
    targets: 4,
    held: 1,
    offline: 0,
    stalled: 0,
    heldBytes: 200 * mebibyte,
    wantedBytes: 400 * mebibyte,
    rateBitsPerSecond: 180_000_000,
    secondsLeft: 11.2,
    heldBackBy: { resource: "sites.fra.uplink", text: "the uplink of site fra", secondsAtLeast: 9 },
    ...more,
  };
}

function resourceRow(more: Partial<ResourceRow> = {}): ResourceRow {
  return {
    resource: "sites.fra.uplink",
    kind: "siteUplink",
    owner: "fra",
    capabilityBitsPerSecond: 200_000_000,
    allocatedBitsPerSecond: 190_000_000,
    measuredBitsPerSecond: 185_000_000,
    carriedBytes: 0,
    failures: 0,
    outOfUse: false,
    ...more,
  };
}

function viewOf(more: Partial<TopicData<"overview">> = {}, view: Partial<FleetView> = {}): FleetView {
  const controller = {
    term: 1,
    agentsOnline: 4,
    agentsKnown: 5,
    lanes: 7,
    lanesOpened: 9,
    lanesEnded: 2,
    lanesFailed: 0,
    receivedBitsPerSecond: 180_000_000,
    outOfUse: 0,
    waitsForAgents: false,
  };
  const quiet = { capabilityBitsPerSecond: null, allocatedBitsPerSecond: 0, measuredBitsPerSecond: 0 };
  const downlink = { capabilityBitsPerSecond: 100_000_000, allocatedBitsPerSecond: 5e7, measuredBitsPerSecond: 4e7 };
  const iad = {
    ...{ site: "iad", agentsOnline: 2, agentsKnown: 2, uplink: quiet, downlink },
    ...{ withinBitsPerSecond: 0, outOfUse: false },
  };
  const overview = {
    controller,
    sites: [iad],
    links: [],
    resources: [resourceRow()],
    fileSets: [fileSetRow()],
    ...more,
  };
  return { url: "http://one:7400", nowMilliseconds: 0, overview, sites: new Map(), problem: undefined, ...view };
}

function lines(view: FleetView, rows = 24, columns = 120): string[] {
  return stripVTControlCharacters(fleetScreen(view, { rows, columns, unicode: true })).split("\n");
}

describe("fleet screen", () => {
  it("shows what is under way with its rate, the time left and what holds it back", () => {
    const sites = new Map([
      [
        "index@1",
        [
          { site: "fra", targets: 2, held: 2, heldBytes: 10, wantedBytes: 10 },
          { site: "iad", targets: 2, held: 0, heldBytes: 1, wantedBytes: 10 },
        ],
      ],
    ]);
    const text = lines(viewOf({}, { sites }), 24, 160);
    assert.match(text[0] ?? "", /^sluice at http:\/\/one:7400 +00:00:00$/);
    assert.match(text[1] ?? "", /^4 of 5 agents online in 1 site {3}7 lanes {3}receiving 180 Mbps$/);
    assert.match(
      text[3] ?? "",
      /^index@1 {2}active {2}█{15}░{15} 50\.0 % {2}1\/4 agents {2}100 MiB {2}180 Mbps, 12 s left, held back by the uplink of site fra$/,
    );
    assert.match(text[4] ?? "", /^ {2}iad +█{3}░+ 10\.0 % {2}0\/2 agents$/);
    assert.match(text[5] ?? "", /^ {2}fra +█{30} +100 % {2}2\/2 agents$/);
    assert.match(text.at(-1) ?? "", /^sites\.iad\.downlink {2}█+░+ 50\.0 % /);
    assert.match(text.at(-2) ?? "", /^sites\.fra\.uplink +█+░+ 95\.0 % {2}185 Mbps of 200 Mbps {2}allocated 190 Mbps$/);
  });

  it("puts what is under way first, and says how much it leaves out", () => {
    const done = Array.from({ length: 40 }, (_, index) =>
      fileSetRow({ fileSet: `old@${index}`, sequence: index + 2, held: 4, heldBytes: 400 * mebibyte }),
    );
    const view = viewOf({ fileSets: [...done, fileSetRow()] });
    const text = lines(view, 14, 80);
    assert.ok(text.length <= 14);
    assert.match(text[3] ?? "", /^index@1/);
    assert.equal(text[4], "  held back by the uplink of site fra", "below, where there is no room beside the rest");
    assert.match(text[5] ?? "", /^old@39 .*100 %/);
    assert.ok(text.some((line) => /^and \d+ more: sluice fileset ls$/.test(line)));
    assert.ok(text.every((line) => line.length <= 80));
    assert.deepEqual(watchedClosely([...done, fileSetRow()], 3), ["index@1"]);
  });

  it("never is higher or wider than the terminal, whatever there is", () => {
    const fileSets = Array.from({ length: 30 }, (_, index) => fileSetRow({ fileSet: `index-${index}@1` }));
    const resources = Array.from({ length: 30 }, (_, index) =>
      resourceRow({
        resource: `sites.s${index}.uplink`,
        outOfUse: index % 2 === 0,
        reason: "stalls\u001b[2J",
        failures: 3,
      }),
    );
    const controller = { ...viewOf().overview!.controller, outOfUse: 20 };
    for (let rows = 1; rows < 40; rows += 1) {
      for (const columns of [20, 80, 200]) {
        const text = fleetScreen(viewOf({ fileSets, resources, controller }), { rows, columns, unicode: false });
        const shown = stripVTControlCharacters(text).split("\n");
        assert.ok(shown.length <= rows, `${rows} rows`);
        assert.ok(shown.every((line) => line.length <= columns));
        assert.ok(!text.includes("\u001b[2J"));
      }
    }
  });

  it("says what to do where there is nothing, and what is wrong where nothing is heard", () => {
    assert.match(
      lines(viewOf({ fileSets: [], resources: [], sites: [] })).at(-1) ?? "",
      /^no file sets yet: sluice publish/,
    );
    const text = lines({ ...viewOf({}, { problem: "the controller cannot be reached" }), overview: undefined });
    assert.deepEqual(text.slice(1), ["the controller cannot be reached", "", "waiting for the controller"]);
  });
});

describe("bars and rates", () => {
  it("is full only when all is there", () => {
    assert.equal(bar(999, 1000, 4, true), "███░");
    assert.equal(bar(1, 1000, 4, false), "#---");
    assert.equal(bar(0, 0, 2, true), "░░");
    assert.equal(bar(5, 4, 2, true), "██");
  });

  it("follows a rate, and begins anew when what was done is taken back", () => {
    const meter = new RateMeter();
    assert.equal(meter.secondsUntil(10), undefined);
    for (let second = 0; second <= 20; second += 1) meter.add(second * 1000, second * 100);
    assert.equal(meter.bytesPerSecond, 100);
    assert.equal(meter.secondsUntil(2500), 5);
    meter.add(21_000, 0);
    assert.equal(meter.bytesPerSecond, undefined);
  });
});
