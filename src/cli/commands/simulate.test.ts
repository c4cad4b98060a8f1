import { strict as assert } from "node:assert";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { parseYamlText } from "../../platform/yaml-text.ts";
import { parseScenario } from "../../simulator/scenario-parser.ts";

const sluice = fileURLToPath(new URL("../../../bin/sluice", import.meta.url));
const scenarios = fileURLToPath(new URL("../../../scenarios/", import.meta.url));
const small = `
topology:
  sites: { a: { uplink: 50Mbps }, b: {} }
  defaults: { nic: { up: 100Mbps, down: 100Mbps } }
agents:
  - { site: a, count: 3 }
  - { site: b, count: 3 }
fileSets:
  - { name: index, bytes: 8MiB, blockBytes: 256KiB, origins: [a-0] }
`;
let directory = "";

async function simulate(...words: string[]): Promise<{ code: number; out: string; error: string }> {
  const env = { ...process.env, NO_COLOR: "1" };
  return new Promise((resolve) => {
    execFile(process.execPath, [sluice, "simulate", ...words], { env }, (failure, out, error) => {
      resolve({ code: failure === null ? 0 : Number(failure.code), out, error });
    });
  });
}

async function file(name: string, text: string): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, text);
  return path;
}

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "sluice-simulate-"));
});
after(async () => rm(directory, { recursive: true, force: true }));

describe("scenarios/", () => {
  it("has only scenarios without a mistake", async () => {
    const names = (await readdir(scenarios)).filter((name) => name.endsWith(".yaml"));
    assert.ok(names.length >= 27, String(names.length));
    for (const name of names) {
      const scenario = parseYamlText(await readFile(join(scenarios, name), "utf8"), name, parseScenario);
      assert.ok(scenario.agents.length > 0 && scenario.fileSets.length > 0, name);
    }
  });
});

describe("sluice simulate", () => {
  it("tells people when everyone has it, and what holds it back", async () => {
    const { code, out, error } = await simulate(await file("small.yaml", small));
    assert.deepEqual([code, error], [0, ""]);
    assert.match(out, /^small\.yaml {2}6 agents in 2 sites, 1 file set of 8 MiB\n/);
    assert.match(out, /\nbound +1\.342 s \(into sites\)\n/);
    assert.match(out, /\nheld back by +what can come into site b: sites\.a\.uplink\n/);
    assert.match(out, /\ncopies +1\.00 over site uplinks, at least 1\.00\n/);
    assert.match(out, /\nOUT OF SITE +BYTES +AT LEAST +USE WHILE BUSY\na +8 MiB +8 MiB +\d/);
    assert.match(out, /\nBUSIEST RESOURCES /);
  });

  it("gives programs one object with every figure", async () => {
    const path = await file("json.yaml", small);
    const { code, out } = await simulate(path, "--json", "--seed", "7");
    assert.equal(code, 0);
    const result = JSON.parse(out) as Record<string, unknown>;
    for (const key of [
      ...["makespanSeconds", "boundSeconds", "boundKind", "ratio", "completionSeconds", "meanSeconds", "fileSets"],
      ...["healthy", "uplinkCopies", "transfers", "decideSeconds", "incomplete", "violations"],
    ]) {
      assert.ok(Object.hasOwn(result, key), key);
    }
    assert.ok(Number(result["decideSeconds"]) > 0);
  });

  it("writes the same trace every time, and a drawing", async () => {
    const path = await file("drawn.yaml", `${small}jitter: 0.1\n`);
    const [one, other, plot] = ["one.jsonl", "other.jsonl", "plot.svg"].map((name) => join(directory, name));
    await simulate(path, "--trace", one ?? "", "--plot", plot ?? "");
    await simulate(path, "--trace", other ?? "");
    const trace = await readFile(one ?? "", "utf8");
    assert.equal(await readFile(other ?? "", "utf8"), trace);
    const first = JSON.parse(trace.split("\n", 1)[0] ?? "") as Record<string, unknown>;
    assert.deepEqual(Object.keys(first), [
      ...["atNanoseconds", "mode", "reason", "fileSet", "source", "target", "blocks", "rateBitsPerSecond", "score"],
      "runnersUp",
    ]);
    assert.match(await readFile(plot ?? "", "utf8"), /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"[^>]*>\n/);
  });

  it("points out every mistake by its place and path, each in one line", async () => {
    const broken = small
      .replace("8MiB", "8Mib")
      .replace("[a-0]", "[a-9]")
      .replace("count: 3", "count: -1")
      .replace("uplink", "uplnk");
    const path = await file("broken.yaml", `${broken}events:\n  - { at: 3, stop: b-0 }\n`);
    const { code, out, error } = await simulate(path);
    assert.deepEqual([code, out], [1, ""]);
    const lines = error.trimEnd().split("\n");
    for (const [place, reason] of [
      ["3:24: topology.sites.a.uplnk", "unknown key"],
      ["6:23: agents[0].count", "expected a whole number"],
      ["9:27: fileSets[0].bytes", '"8Mib" is not a size'],
      ["9:63: fileSets[0].origins[0]", 'there is no agent "a-9"'],
      ["11:11: events[0].at", "3 is not a duration"],
    ]) {
      const wanted = `sluice: ${path}:${place}: ${reason}`;
      assert.ok(
        lines.some((line) => line.startsWith(wanted)),
        `${wanted} is not in\n${error}`,
      );
    }
    assert.equal(lines.length, 5, error);
  });

  it("says in one line what it cannot read, write or understand", async () => {
    const path = await file("fine.yaml", small);
    const cases: [string[], number, RegExp][] = [
      [[join(directory, "none.yaml")], 1, /^sluice: cannot read the scenario .*none\.yaml: there is no such file\n$/],
      [[directory], 1, /^sluice: cannot read the scenario .*: it is a directory\n$/],
      [[await file("syntax.yaml", "agents: [")], 1, /^sluice: .*syntax\.yaml:1:\d+: .*\n$/],
      [
        [path, "--trace", join(directory, "no/trace")],
        1,
        /^sluice: cannot write the trace .*: there is no such file\n$/,
      ],
      [[path, "--seed", "-1"], 2, /^sluice: option '--seed <number>' argument '-1' is invalid.*\n$/],
      [[path, "--mode", "best"], 2, /^sluice: --mode cannot be 'best': it is one of.*\n$/],
      [[path, "--policy", "best"], 2, /^sluice: --policy cannot be 'best': it is one of.*\n$/],
      [[], 2, /^sluice: missing required argument 'scenario'\n$/],
    ];
    for (const [words, code, pattern] of cases) {
      const outcome = await simulate(...words);
      assert.deepEqual([outcome.code, outcome.out], [code, ""], words.join(" "));
      assert.match(outcome.error, pattern);
    }
  });

  it("fails when a rule was broken: a target that can never be complete", async () => {
    const path = await file("starved.yaml", `${small}events:\n  - { at: 100ms, stop: a-0 }\n`);
    const { code, out, error } = await simulate(path, "--json");
    assert.equal(code, 1);
    const { violations } = JSON.parse(out) as { violations: string[] };
    assert.ok(violations.length > 0);
    assert.match(error, /(^|\n)sluice: 5 rules were broken in this run: a-1 is starved: .*\n$/);
  });
});
