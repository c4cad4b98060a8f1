import { strict as assert } from "node:assert";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { UserError } from "../std/errors.ts";
import { parseTopologyText, readTopologyFile, TopologyTextError } from "./yaml-topology.ts";

function mistakesOf(text: string): readonly string[] {
  try {
    parseTopologyText(text, "links.yaml");
  } catch (error) {
    assert.ok(error instanceof TopologyTextError, String(error));
    return error.lines;
  }
  return [];
}

const good = `resources:
  transatlantic: { capability: 2Gbps }
sites:
  fra: { uplink: 10Gbps, downlink: 10Gbps }
  iad: { uplink: 10Gbps }
defaults:
  nic: { up: 1Gbps, down: 1Gbps }
agents:
  fra-0: { nic: { up: 10Gbps, down: 10Gbps } }
paths:
  - { from: fra, to: iad, through: [transatlantic] }
`;

describe("topology text", () => {
  it("is read as the grammar has it", () => {
    const topology = parseTopologyText(good, "links.yaml");
    assert.equal(topology.sites.get("fra")?.uplinkBitsPerSecond, 10_000_000_000);
  });

  it("has its mistakes of syntax reported with their place", () => {
    const [line] = mistakesOf("sites:\n  fra: { uplink: 10Gbps\n  iad: {}\n");
    assert.match(line ?? "", /^links\.yaml:\d+:\d+: ./);
    assert.match(mistakesOf("sites:\n  fra: {}\n  fra: {}\n")[0] ?? "", /^links\.yaml:3:3: /);
  });

  it("has every mistake of sense reported with its place, its path and the reason", () => {
    const lines = mistakesOf(`sites:
  fra:
    uplink: 10Gpbs
  iad: { uplnk: 1Gbps }
paths:
  - { from: fra, to: iad, through: [atlantic] }
`);
    assert.equal(lines.length, 3);
    assert.match(lines[0] ?? "", /^links\.yaml:3:13: sites\.fra\.uplink: .*10Gpbs/);
    assert.match(lines[1] ?? "", /^links\.yaml:4:\d+: sites\.iad.*uplnk.*uplink/);
    assert.match(lines[2] ?? "", /^links\.yaml:6:\d+: paths\[0\]\.through\[0\]: .*atlantic/);
  });

  it("cannot be blown up by aliases, nor speak to a terminal", () => {
    const levels = Array.from(
      { length: 12 },
      (_, level) =>
        `a${level}: &a${level} [${Array(12)
          .fill(level === 0 ? "x" : `*a${level - 1}`)
          .join(",")}]`,
    );
    assert.ok(mistakesOf(levels.join("\n")).length > 0);
    assert.ok(mistakesOf('"sites\\e[2J": {}').every((line) => !line.includes("\u001b")));
  });

  it("is refused with a clear line when its file cannot be read", async () => {
    const directory = await mkdtemp(join(tmpdir(), "sluice-topology-"));
    const path = join(directory, "links.yaml");
    await assert.rejects(
      readTopologyFile(path),
      (error) => error instanceof UserError && /no such file/.test(error.message),
    );
    await writeFile(path, Buffer.from([0x73, 0xff, 0xfe]));
    await assert.rejects(readTopologyFile(path), /not UTF-8/);
    await writeFile(path, good);
    assert.equal((await readTopologyFile(path)).text, good);
    await rm(directory, { recursive: true });
  });
});
