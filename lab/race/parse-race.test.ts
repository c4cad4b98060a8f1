import { strict as assert } from "node:assert";
import { describe, it } from "node:test";
import { loadRace, raceNames } from "./load-race.ts";
import { parseRace } from "./parse-race.ts";
import { raceBound } from "./race-bound.ts";
import { declaredText } from "./declared-text.ts";
import { parseTopologyText } from "#src/platform/yaml-topology.ts";

const small = {
  topology: { sites: { a: { uplink: "8Mbps" }, b: {} }, defaults: { nic: { up: "80Mbps" } } },
  agents: [
    { site: "a", count: 1 },
    { site: "b", count: 2, nic: { up: "40Mbps" } },
  ],
  fileSets: [{ name: "p", bytes: "1MB", origins: ["a-0"] }],
};

function mistakesOf(change: object): string {
  try {
    parseRace({ ...small, ...change }, "x");
  } catch (error) {
    return error instanceof Error ? error.message : "";
  }
  return "";
}

describe("a race", () => {
  it("is read from every file of the project", () => {
    assert.ok(raceNames().length >= 14);
    for (const name of raceNames()) assert.equal(loadRace(name).name, name);
  });

  it("declares what the links are, unless it says something else", () => {
    const same = parseRace(small, "x");
    assert.equal(same.declared, same.scenario.topology);
    const other = parseRace({ ...small, declared: { sites: { a: { uplink: "4Mbps" }, b: {} } }, shaped: false }, "x");
    assert.equal(other.declared.sites.get("a")?.uplinkBitsPerSecond, 4_000_000);
    assert.equal(other.scenario.topology.sites.get("a")?.uplinkBitsPerSecond, 8_000_000);
    assert.equal(other.shaped, false);
  });

  it("says where a mistake stands", () => {
    assert.match(mistakesOf({ shaped: "no" }), /shaped: expected true or false/);
    assert.match(mistakesOf({ declared: { sites: { a: { uplnk: 1 } } } }), /declared\.sites\.a\.uplnk/);
    assert.match(mistakesOf({ declared: { sites: { a: {} } } }), /declared\.sites: the site b is missing/);
    assert.match(mistakesOf({ jitter: 0.1 }), /jitter: a race has no jitter/);
    assert.match(mistakesOf({ events: [{ at: "1s", lose: "a-0" }] }), /events\[0\]: a race cannot lose/);
    assert.match(
      mistakesOf({ competing: [{ from: "a-0", to: "c-9" }] }),
      /competing\[0\]\.to: there is no agent "c-9"/,
    );
    assert.match(mistakesOf({ nonsense: 1 }), /nonsense: unknown key/);
    assert.match(
      mistakesOf({ fileSets: [{ ...small.fileSets[0], origins: ["a-0", "b-0"] }] }),
      /origins: .*one origin/,
    );
  });

  it("is bounded by what TCP leaves of the links", () => {
    const race = parseRace(small, "x");
    const { seconds, kind } = raceBound(race.scenario, race.scenario.topology);
    assert.equal(kind, "into sites");
    assert.ok(Math.abs((seconds ?? 0) - 1.045_58) < 0.001, `${seconds}`);
    assert.equal(
      raceBound(loadRace("one-to-one").scenario, loadRace("one-to-one").scenario.topology).seconds,
      undefined,
    );
  });

  it("has the bounds that are known of its races", () => {
    const boundOf = (name: string): number => raceBound(loadRace(name).scenario, loadRace(name).declared).seconds ?? 0;
    assert.equal(boundOf("4x4").toFixed(1), "22.5");
    assert.equal(boundOf("4x4-slow").toFixed(1), "22.5");
    assert.equal(boundOf("one-site-16").toFixed(1), "11.2");
    assert.equal(boundOf("two-sites").toFixed(1), "11.2");
    assert.equal(boundOf("growing").toFixed(1), "20.0");
  });

  it("gives the controller a topology with the interface of every agent", () => {
    const race = parseRace(small, "x");
    const text = declaredText(race.declared, race.scenario.agents) ?? "";
    const topology = parseTopologyText(text, "topology.yaml");
    assert.equal(topology.nicOf({ name: "b-1", site: "b" }).upBitsPerSecond, 40_000_000);
    assert.equal(topology.nicOf({ name: "a-0", site: "a" }).upBitsPerSecond, 80_000_000);
    assert.equal(topology.sites.get("a")?.uplinkBitsPerSecond, 8_000_000);
  });
});
