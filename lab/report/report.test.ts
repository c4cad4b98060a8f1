import { strict as assert } from "node:assert";
import { describe, it } from "node:test";
import { raceMarkdown } from "./markdown.ts";
import { median, type RaceReport, type RunFigures } from "./race-report.ts";
import { replaceBetweenMarks } from "./record.ts";
import { raceSvg } from "./svg.ts";

function runOf(makespanSeconds: number): RunFigures {
  return {
    ...{ makespanSeconds, ratio: makespanSeconds / 10, medianCompletionSeconds: 9, lastCompletionSeconds: 12 },
    ...{ uplinkCopies: 3.05, uplinkCopiesBySite: { a: 3.05 }, beyondDeclaredBytes: 1024, links: [] },
    ...{ sourceUplinksBitsPerSecond: null, cpuSeconds: 5, cpuSecondsPerGigabyteDelivered: 1, peakMemoryBytes: 2 ** 20 },
    ...{ deliveredBytesPerSecond: 1, competingBitsPerSecond: [], besideCompetingBitsPerSecond: null },
    afterProductionSeconds: null,
    completions: [
      { fileSet: "p@1", host: "b-0", seconds: makespanSeconds / 2 },
      { fileSet: "p@1", host: "b-1", seconds: makespanSeconds },
    ],
  };
}

const report: RaceReport = {
  ...{ race: "x<y", startedAt: "2026-01-02T03:04:05.678Z", machine: "a machine", boundSeconds: 10, boundKind: "cut" },
  ...{ declaredBoundSeconds: null, payloadBytes: 2 ** 20, hosts: 3 },
  tools: [
    { tool: "one", runs: [runOf(12), runOf(14), { error: "it fell over" }] },
    { tool: "two", runs: [runOf(20)] },
  ],
  leftOut: [{ tool: "three", why: "it is not installed" }],
};

describe("the report of a race", () => {
  it("shows every run, also those that failed, and who was left out", () => {
    const text = raceMarkdown(report);
    assert.match(
      text,
      /\| one \| 12\.00, 14\.00, failed \| 13\.00 \| 1\.300 \| 9\.00 \| 3\.05 \| 1 KiB \| 5\.0 \| 1 MiB \|/,
    );
    assert.match(text, /A run of one failed: it fell over\./);
    assert.match(text, /three is left out: it is not installed\./);
  });

  it("is drawn with a line for each tool and the bound, and nothing of a name is taken for markup", () => {
    const svg = raceSvg(report);
    assert.equal(svg.match(/<path /g)?.length, 2);
    assert.match(svg, /stroke-dasharray/);
    assert.match(svg, /Race x&lt;y/);
    assert.equal(raceSvg(report), svg);
    assert.match(raceSvg({ ...report, tools: [], boundSeconds: null }), /<\/svg>/);
  });

  it("goes between the marks of its race", () => {
    const text = "a\n<!-- race: 4x4 -->old<!-- end of race -->\nb <!-- race: y --><!-- end of race -->";
    assert.equal(
      replaceBetweenMarks(text, "4x4", "new\n"),
      "a\n<!-- race: 4x4 -->\n\nnew\n\n<!-- end of race -->\nb <!-- race: y --><!-- end of race -->",
    );
    assert.equal(replaceBetweenMarks(text, "z", "new"), text);
  });

  it("takes the middle of what was measured", () => {
    assert.equal(median([3, 1, 2]), 2);
    assert.equal(median([4, 1, 2, 3]), 2.5);
    assert.ok(Number.isNaN(median([])));
  });
});
