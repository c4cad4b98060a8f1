import { strict as assert } from "node:assert";
import { describe, it } from "node:test";
import type { AgentRow, FileSetRow, ProgressSample } from "../protocol/api/rows.ts";
import { agentFilter } from "./agent-filter.ts";
import { cellAt, gridOf, moveInGrid } from "./components/heat-grid.ts";
import { freePlace, layOut, lineBetween } from "./components/network-layout.ts";
import { compareValues, keepOrder, visibleRange } from "./components/table-rows.ts";
import { fileSetState, isUnderWay } from "./file-set-state.ts";
import { agoText, percentText, secondsText } from "./format.ts";
import { completionSeries, rateSeries } from "./progress-series.ts";
import { agentHref, fileSetHref, parseRoute, resourceHref } from "./router.ts";

const agent = (name: string, site: string, labels: Record<string, string> = {}): AgentRow =>
  ({ agent: name, site, labels }) as AgentRow;
const fileSet = (parts: Partial<FileSetRow>): FileSetRow =>
  ({
    state: "published",
    paused: false,
    growing: false,
    targets: 4,
    held: 0,
    offline: 0,
    stalled: 0,
    ...parts,
  }) as FileSetRow;

describe("addresses of pages", () => {
  it("leads back from every link, whatever is in a name", () => {
    const name = "odd/../name with spaces?&#%";
    assert.deepEqual(parseRoute(fileSetHref(`${name}@1`)), { page: "fileSet", fileSet: `${name}@1` });
    assert.deepEqual(parseRoute(agentHref(name)), { page: "agent", agent: name });
    assert.deepEqual(parseRoute(resourceHref(name)), { page: "resource", resource: name });
    assert.deepEqual(parseRoute("#/agents?selector=site%3Dfra"), { page: "agents", selector: "site=fra" });
  });

  it("knows the overview and what is no page", () => {
    for (const hash of ["", "#", "#/"]) assert.equal(parseRoute(hash).page, "overview");
    for (const hash of ["#/nowhere", "#/agents/a/b", "#/transfers/x"]) assert.equal(parseRoute(hash).page, "unknown");
    assert.deepEqual(parseRoute("#/agents/%zz"), { page: "agent", agent: "%zz" });
  });
});

describe("figures", () => {
  it("says 100 % only when nothing is missing and 0 % only when nothing is there", () => {
    assert.equal(percentText(999_999, 1_000_000), "99 %");
    assert.equal(percentText(1_000_000, 1_000_000), "100 %");
    assert.equal(percentText(1, 1_000_000), "0.1 %");
    assert.equal(percentText(0, 1_000_000), "0 %");
    assert.equal(percentText(0, 0), "–");
  });

  it("writes lengths of time", () => {
    assert.equal(secondsText(null), "–");
    assert.equal(secondsText(125.3), "2 m 5 s");
    assert.equal(agoText(1_000, 13_400), "12 s ago");
    assert.equal(agoText(9_000, 1_000), "now");
  });
});

describe("finding agents", () => {
  const rows = [agent("fra-0", "fra", { disk: "ssd" }), agent("iad-0", "iad", { disk: "hdd" })];
  const found = (text: string): string[] => rows.filter(agentFilter(text).accepts).map(({ agent: name }) => name);

  it("takes a part of a name or site", () => {
    assert.deepEqual(found(""), ["fra-0", "iad-0"]);
    assert.deepEqual(found("IAD"), ["iad-0"]);
    assert.deepEqual(found("-0"), ["fra-0", "iad-0"]);
  });

  it("takes a selector, and says what is wrong with one", () => {
    assert.deepEqual(found("site=fra,disk=ssd"), ["fra-0"]);
    assert.deepEqual(found("disk in (hdd,tape)"), ["iad-0"]);
    assert.deepEqual(found("all"), ["fra-0", "iad-0"]);
    assert.match(agentFilter("site=fra,").problem ?? "", /selector/);
  });
});

describe("tables", () => {
  it("has the rows in sight in the page, and the height of all", () => {
    const { first, last, above, below } = visibleRange(2_000, { top: 10_000, height: 500, rowHeight: 40 });
    assert.ok(first <= 250 && last >= 263 && last - first < 60);
    assert.equal(above + below + (last - first) * 40, 2_000 * 40);
    assert.deepEqual(visibleRange(3, { top: 9_999, height: 500, rowHeight: 40 }).last, 3);
  });

  it("keeps rows where they were, and puts new ones at the end", () => {
    const rows = [{ key: "new" }, { key: "a" }, { key: "c" }];
    const ordered = keepOrder(rows, ({ key }) => key, ["c", "b", "a"]);
    assert.deepEqual(
      ordered.map(({ key }) => key),
      ["c", "a", "new"],
    );
  });

  it("sorts as people count", () => {
    assert.deepEqual(["fra-10", "fra-2"].sort(compareValues), ["fra-2", "fra-10"]);
    assert.deepEqual([10, 2].sort(compareValues), [2, 10]);
  });
});

describe("heat maps", () => {
  it("finds squares by pointer and by keys", () => {
    const grid = gridOf(10, 100, 16);
    assert.equal(grid.columns, 5);
    assert.equal(cellAt(grid, 10, 20, 25), 6);
    assert.equal(cellAt(grid, 10, 17, 25), undefined, "between two");
    assert.equal(cellAt(grid, 6, 40, 25), undefined, "behind the last");
    assert.equal(moveInGrid(grid, 10, undefined, "ArrowDown"), 0);
    assert.equal(moveInGrid(grid, 10, 0, "ArrowDown"), 5);
    assert.equal(moveInGrid(grid, 10, 7, "ArrowDown"), 9);
    assert.equal(moveInGrid(grid, 10, 7, "a"), undefined);
  });
});

describe("the picture of the network", () => {
  it("keeps every site inside, in its own place", () => {
    for (const sites of [1, 2, 3, 8, 12, 40]) {
      for (const width of [320, 800, 1_400]) {
        const names = Array.from({ length: sites }, (_, index) => `s${index}`);
        const { places, height } = layOut(names, width);
        const spots = [...places.values()];
        assert.equal(new Set(spots.map(({ x, y }) => `${x} ${y}`)).size, sites);
        for (const { x, y } of spots) assert.ok(x > 0 && x < width && y > 0 && y < height);
      }
    }
  });

  it("bends a line and the line back apart", () => {
    const a = { x: 100, y: 100 };
    const b = { x: 400, y: 100 };
    const there = lineBetween(a, b, { x: 20, y: 20 });
    const back = lineBetween(b, a, { x: 20, y: 20 });
    assert.ok(Math.abs((there.labels[0]?.y ?? 0) - (back.labels[0]?.y ?? 0)) > 10);
  });

  it("puts no figure on another while there is room along its line", () => {
    const { labels } = lineBetween({ x: 0, y: 0 }, { x: 400, y: 0 }, { x: 20, y: 20 });
    const size = { width: 70, height: 18 };
    const first = freePlace(labels, size, []);
    const second = freePlace(labels, size, [{ ...first, ...size }]);
    assert.ok(Math.abs(first.x - second.x) >= size.width);
  });
});

describe("file sets", () => {
  it("has one word for each state", () => {
    assert.equal(fileSetState(fileSet({ held: 4 })).word, "complete");
    assert.equal(fileSetState(fileSet({ held: 4, paused: true })).word, "paused");
    assert.equal(fileSetState(fileSet({ held: 3, offline: 1 })).tone, "warning");
    assert.equal(fileSetState(fileSet({ held: 1, rateBitsPerSecond: 5 })).word, "moving");
    assert.equal(fileSetState(fileSet({ targets: 0, active: true })).word, "no targets");
    assert.equal(isUnderWay(fileSet({ held: 4 })), false);
    assert.equal(isUnderWay(fileSet({ held: 4, state: "publishing" })), true);
  });

  const samples = (...heldBytes: number[]): ProgressSample[] =>
    heldBytes.map((held, index) => ({
      sample: String(index),
      atMilliseconds: index * 1_000,
      heldBytes: held,
      wantedBytes: 1_000,
      held: 0,
      targets: 1,
    }));

  it("draws how it goes on from where it is, and what no schedule could have beaten from when it began", () => {
    const summary = { heldBytes: 500, wantedBytes: 1_000, secondsLeft: 10, heldBackBy: null };
    const atBest = { fromMilliseconds: 0, heldBytes: 0, secondsAtLeast: 5 };
    const [times, was, goesOn, best] = completionSeries(samples(0, 250, 500), {
      summary,
      atBest,
      nowMilliseconds: 2_000,
    });
    const at = (line: readonly (number | null)[], second: number): number | null => line[times.indexOf(second)] ?? null;
    assert.deepEqual([at(was, 0), at(was, 1), at(was, 2)], [0, 25, 50]);
    assert.deepEqual([at(goesOn, 2), at(goesOn, 12)], [50, 100]);
    assert.deepEqual([at(best, 5), at(best, 5.001), best.at(-1)], [0, 100, null]);
    const inOrder = times.toSorted((a, b) => a - b);
    assert.deepEqual(times, inOrder);
  });

  it("leads the lines on from the last sample to now", () => {
    const summary = { heldBytes: 600, wantedBytes: 1_000, secondsLeft: null, heldBackBy: null };
    const completion = { summary, atBest: null, nowMilliseconds: 1_400 };
    assert.deepEqual(completionSeries(samples(0, 500), completion)[1], [0, 50, 60]);
    assert.deepEqual(rateSeries(samples(0, 500), { rateBitsPerSecond: 7 }, 1_400)[1], [null, 4_000, 7]);
  });

  it("draws nothing ahead of what is complete, and nothing at all of nothing", () => {
    const summary = { heldBytes: 1_000, wantedBytes: 1_000, secondsLeft: null, heldBackBy: null };
    const complete = { summary, atBest: null, nowMilliseconds: 9_000 };
    assert.equal(completionSeries(samples(0, 1_000), complete)[0].length, 2);
    const nothing = { ...complete, summary: { ...summary, wantedBytes: 0 } };
    assert.deepEqual(completionSeries([], nothing), [[], [], [], []]);
  });

  it("works out the rate over a few samples", () => {
    const [, rates] = rateSeries(samples(0, 100, 200, 300, 200), { rateBitsPerSecond: 0 }, 9_000);
    assert.equal(rates[0], null);
    assert.equal(rates[3], 800);
    assert.equal(rates[4], 0, "what was deleted is no transfer");
  });
});
