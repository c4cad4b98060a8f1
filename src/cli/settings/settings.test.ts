import { strict as assert } from "node:assert";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { createProgram } from "../program.ts";
import { findCommand } from "./command-words.ts";
import { commandsWithSettings } from "./key-tree.ts";
import { applySettings } from "./settings.ts";
import type { Environment } from "./settings.ts";
import { commandPath, configKey, environmentName, settableOptions } from "./setting-names.ts";

let directory = "";
before(async () => {
  directory = await mkdtemp(join(tmpdir(), "sluice-settings-"));
});
after(async () => rm(directory, { recursive: true, force: true }));

async function fileOf(name: string, text: string): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, text);
  return path;
}

/** The options of a command once everything was read, as its action would get them. */
function optionsOf(words: readonly string[], environment: Environment = {}): Record<string, unknown> {
  const program = createProgram();
  const found = findCommand(program, words);
  applySettings(program, found, { SLUICE_CONFIG_DIRECTORY: directory, ...environment });
  found.command.parseOptions([...found.rest]);
  return found.command.opts();
}

describe("settings", () => {
  it("takes the command line before the environment, that before a file, and that before the default", async () => {
    const config = await fileOf("order.yaml", "listen: 127.0.0.1:1\nkeep-free: 1GiB\nname: fra-0\nsite: fra\n");
    const environment = { SLUICE_CONFIG: config, SLUICE_AGENT_NAME: "fra-1", SLUICE_AGENT_SITE: "iad" };
    const { listen, keepFree, name, site, logLevel, keepVersions } = optionsOf(["agent", "--site", "lhr"], environment);
    assert.deepEqual([listen, keepFree], [{ host: "127.0.0.1", port: 1 }, 2 ** 30]);
    assert.deepEqual([name, site, logLevel, keepVersions], ["fra-1", "lhr", undefined, undefined]);
    assert.equal(optionsOf(["agent"], { SLUICE_CONFIG: "" })["keepFree"], 256 * 2 ** 20);
  });

  it("reads the file of the directory that is for the command, if it is there", async () => {
    await fileOf(
      "client.yaml",
      "controller: http://one:1\njson: true\nfileset:\n  rm: { force: yes, dry-run: true }\n",
    );
    const { controller, json, force, dryRun } = optionsOf(["fileset", "rm", "index", "1"]);
    assert.deepEqual([controller, json, force, dryRun], ["http://one:1", true, true, true]);
    assert.equal(optionsOf(["status"])["force"], undefined);
    assert.equal(optionsOf(["agent"])["controller"], undefined, "the agent's file is another");
    await rm(join(directory, "client.yaml"));
  });

  it("knows lists, maps and switches, however they are written", async () => {
    const map = await fileOf("map.yaml", "label: { tier: web, zone: 1.10 }\n");
    const list = await fileOf("list.yaml", "label: [tier=web, zone=b]\n");
    const labels = (words: string[], environment: Environment): unknown => optionsOf(words, environment)["label"];
    assert.deepEqual(labels(["agent", "--config", map], {}), ["tier=web", "zone=1.10"]);
    assert.deepEqual(labels(["agent"], { SLUICE_CONFIG: list }), ["tier=web", "zone=b"]);
    assert.deepEqual(labels(["agent"], { SLUICE_CONFIG: list, SLUICE_AGENT_LABEL: "a=b,c=d" }), ["a=b", "c=d"]);
    assert.deepEqual(labels(["agent", "--label", "x=y", "--label=z=1"], { SLUICE_CONFIG: list }), ["x=y", "z=1"]);
    const publish = ["publish", ".", "--fileset", "a", "--version", "1"];
    const { activate, wait } = optionsOf(publish, { SLUICE_PUBLISH_ACTIVATE: "false", SLUICE_PUBLISH_WAIT: "1" });
    assert.deepEqual([activate, wait], [false, true]);
  });

  it("lets a typed option win over one that it excludes", () => {
    const { site, agent } = optionsOf(["publish", ".", "--agent", "fra-0"], { SLUICE_PUBLISH_SITE: "fra" });
    assert.deepEqual([site, agent], [undefined, "fra-0"]);
  });

  it("tells a mistake with the variable or the place where it stands", async () => {
    const wrong: [string, string[], Environment, RegExp][] = [
      ["status: { intervall: 1s }\n", ["status"], {}, /:1:11: there is no option status\.intervall/],
      ["publish:\n  wiat: true\n", ["status"], {}, /:2:3: there is no option publish\.wiat/],
      ["status:\n  interval: 5\n", ["status"], {}, /:2:13: interval: "5" does not fit: .*the unit is missing/],
      ["status: [1]\n", ["status"], {}, /:1:9: status must be a map/],
      ["json: maybe\n", ["status"], {}, /:1:7: json: "maybe" is neither true nor false/],
      ["json:\n", ["status"], {}, /:1:1: the value of json is missing/],
      ["- a\n", ["status"], {}, /:1:1: a config file is a map/],
      ["a: [\n", ["status"], {}, /:2:1: /],
      ["controller: [a]\n", ["status"], {}, /:1:13: controller: it must be one plain value/],
      ["", ["status"], { SLUICE_STATUS_INTERVAL: "never" }, /^SLUICE_STATUS_INTERVAL: "never" does not fit/],
      ["", ["status"], { SLUICE_JSON: "perhaps" }, /^SLUICE_JSON: "perhaps" is neither/],
    ];
    for (const [text, words, environment, expected] of wrong) {
      const path = await fileOf("wrong.yaml", text);
      const check = (): unknown => optionsOf([...words, "--config", path], environment);
      assert.throws(check, (error: Error & { exitCode?: number }) => {
        assert.match(error.message, expected);
        return error.exitCode === 2;
      });
    }
    assert.throws(() => optionsOf(["status", "--config", join(directory, "none.yaml")]), /cannot read the config file/);
  });

  it("gives every option of every command a variable and a key of its own", () => {
    const names = new Map<string, string>();
    for (const command of commandsWithSettings(createProgram())) {
      for (const option of settableOptions(command)) {
        const name = environmentName(command, option);
        const key = configKey(command, option);
        assert.match(name, /^SLUICE_[A-Z][A-Z_]*$/);
        const what = `${key} ${commandPath(command).length > 0 ? option.description : ""}`;
        const isShared = !name.startsWith(["SLUICE", ...commandPath(command)].join("_").toUpperCase() + "_");
        if (!isShared) assert.equal(names.get(name), undefined, `${name} is ${what} and ${names.get(name)}`);
        names.set(name, what);
      }
    }
    assert.ok(names.size > 40);
  });
});

describe("sluice config show", () => {
  const sluice = fileURLToPath(new URL("../../../bin/sluice", import.meta.url));
  const show = async (words: readonly string[], environment: Environment): Promise<string> =>
    new Promise((resolve) => {
      const env = { ...process.env, NO_COLOR: "1", SLUICE_CONFIG_DIRECTORY: directory, ...environment };
      execFile(process.execPath, [sluice, "config", "show", ...words], { env }, (_, out, error) =>
        resolve(out + error),
      );
    });

  it("prints each value with where it came from", async () => {
    const file = await fileOf("agent.yaml", "# agent\nsite: fra\n");
    const text = await show(["agent", "--name", "fra-0"], { SLUICE_CONTROLLER: "http://one:1" });
    assert.ok(text.startsWith(`sluice agent: ${file}\n`));
    assert.match(text, /^controller +http:\/\/one:1 +environment SLUICE_CONTROLLER$/m);
    assert.match(text, /^name +fra-0 +option --name$/m);
    assert.match(text, new RegExp(`^site +fra +file ${file}:2:7$`, "m"));
    assert.match(text, /^keep-free +256MiB +default$/m);
    assert.match(text, /^data +- +needed, not set$/m);
    const all = JSON.parse(await show(["--json"], {})) as { command: string }[];
    assert.deepEqual(
      all.map(({ command }) => command),
      ["controller", "agent", "publish"],
    );
  });

  it("refuses what has no settings, and options that are not there", async () => {
    assert.match(await show(["fileset"], {}), /^sluice: sluice fileset has no settings\n/);
    assert.match(await show(["status", "--wach"], {}), /^sluice: unknown option '--wach'/);
  });
});
