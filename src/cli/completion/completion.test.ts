import { strict as assert } from "node:assert";
import { execFile, execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { silentLogger } from "../../platform/log.ts";
import { exampleAgent, exampleVersion, FakeMachine } from "../../services/controller/fake-machine.testing.ts";
import { startController } from "../../services/controller/run-controller.ts";
import type { RunningController } from "../../services/controller/run-controller.ts";
import { createProgram } from "../program.ts";
import { shells } from "../commands/completion.ts";
import { completionOf } from "./candidates.ts";
import { completionScript } from "./scripts.ts";

const sluice = fileURLToPath(new URL("../../../bin/sluice", import.meta.url));
/** What each shell checks a script's grammar with. */
const grammarChecks = { bash: ["-n"], zsh: ["-n"], fish: ["--no-execute"] } as const;
let directory = "";
let controller: RunningController;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "sluice-completion-"));
  const machine = new FakeMachine();
  machine.versions.splice(0, Infinity, exampleVersion(), exampleVersion({ version: "2", active: false }));
  machine.agentViews.splice(0, Infinity, exampleAgent());
  controller = await startController({
    dataDirectory: join(directory, "data"),
    listen: { host: "127.0.0.1", port: 0 },
    createMachine: () => machine,
    logger: silentLogger(),
  });
});
after(async () => {
  await controller.stop();
  await rm(directory, { recursive: true, force: true });
});

function offered(...words: string[]): string[] {
  return completionOf(createProgram(), words)
    .candidates.map(({ word }) => word)
    .filter((word) => word.startsWith(words.at(-1) ?? ""));
}

function hasShell(shell: string): boolean {
  try {
    execFileSync(shell, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** What bash would offer behind these words, asked of the script that it sources. */
async function offeredByBash(...words: string[]): Promise<string[]> {
  const script = join(directory, "complete.bash");
  await writeFile(
    script,
    `${completionScript("bash")}
compopt() { :; }
COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 )); _sluice
printf '%s\\n' "\${COMPREPLY[@]}"
`,
  );
  return (await runShell("bash", [script, ...words])).split("\n").filter((line) => line !== "");
}

/** Runs a shell that finds sluice, and sluice the controller. @returns what it prints */
async function runShell(shell: string, words: readonly string[]): Promise<string> {
  const path = [dirname(sluice), process.env["PATH"]].join(delimiter);
  const env = { ...process.env, SLUICE_CONTROLLER: controller.url, PATH: path, HOME: directory };
  return new Promise((resolve, reject) => {
    execFile(shell, words, { env, cwd: directory }, (error, out) => {
      if (error === null) resolve(out);
      else reject(new Error(`${shell} failed`, { cause: error }));
    });
  });
}

/** What fish would offer for a line. */
async function offeredByFish(line: string): Promise<string[]> {
  const script = join(directory, "complete.fish");
  await writeFile(script, completionScript("fish"));
  const out = await runShell("fish", ["--no-config", "-c", 'source $argv[1]; complete -C "$argv[2]"', script, line]);
  return out.split("\n").flatMap((offer) => offer.split("\t")[0] || []);
}

/** What an interactive zsh on a terminal of its own shows once Tab was pressed behind a line. */
async function shownByZsh(line: string): Promise<string> {
  await writeFile(join(directory, "_sluice"), completionScript("zsh"));
  const script = join(directory, "tab.zsh");
  await writeFile(script, zshOnTerminal);
  const out = await runShell("zsh", ["-f", script, directory, line]);
  // oxlint-disable-next-line no-control-regex -- what moves the cursor and sets colours is no text
  return out.replace(/\u001b\[[0-9;?]*[A-Za-z]|[\r\u0007]/g, "");
}

/** Starts zsh on a terminal, waits for its prompt, types a line and Tab, and reads until the line stands there completed. */
const zshOnTerminal = `
zmodload zsh/zpty
zpty tab zsh -f -i
read_until() { local part; repeat 200; do zpty -r -t tab part && out+=$part; [[ $out == *$~1* ]] && return; sleep 0.1; done }
zpty -w tab "unsetopt zle_bracketed_paste; fpath=($1 \\$fpath); autoload -U compinit; compinit -u -D; PS1='rea''dy>'"
out=""; read_until "ready>"
zpty -w -n tab "$2"$'\t'
out=""; read_until "\\[1m *" 
print -r -- "$out"
zpty -d tab
`;

describe("completion", () => {
  it("offers commands, verbs, options that are not given yet, and choices", () => {
    assert.deepEqual(offered("fi"), ["fileset"]);
    assert.ok(!offered("").includes("complete"));
    assert.deepEqual(offered("fileset", "a"), ["activate"]);
    assert.deepEqual(offered("agent", "dr"), ["drain"]);
    assert.deepEqual(offered("publish", "x", "--wait", "--w"), []);
    assert.deepEqual(offered("publish", "x", "--fin"), ["--final-after-idle", "--final-on-exit"]);
    assert.deepEqual(offered("completion", ""), [...shells]);
    assert.deepEqual(offered("agent", "--log-level", "d"), ["debug"]);
    assert.deepEqual(offered("agent", "--log-level=d"), ["--log-level=debug"]);
  });

  it("knows where names belong, and where files do", () => {
    const place = (...words: string[]): string => completionOf(createProgram(), words).place;
    assert.equal(place("publish", ""), "files");
    assert.equal(place("publish", "--data=", ""), "files");
    assert.equal(place("publish", ".", "--agent", ""), "agents");
    assert.equal(place("publish", ".", "--to", ""), "nothing");
    assert.equal(place("agent", "--site", ""), "sites");
    assert.equal(place("agent", "drain", ""), "agents");
    assert.deepEqual(completionOf(createProgram(), ["fileset", "rm", "--force", "index", ""]), {
      candidates: [],
      place: "versions",
      fileSet: "index",
    });
    assert.equal(place("fileset", "rm", "index", "1", ""), "nothing");
  });

  it(
    "works in bash, with names that the controller knows",
    { skip: hasShell("bash") ? false : "needs bash" },
    async () => {
      assert.deepEqual(await offeredByBash("sluice", "fileset", "s"), ["show"]);
      assert.deepEqual(await offeredByBash("sluice", "fileset", "show", ""), ["index"]);
      assert.deepEqual(await offeredByBash("sluice", "fileset", "rm", "index", ""), ["1", "2"]);
      assert.deepEqual(await offeredByBash("sluice", "agent", "--log-level", "=", "w"), ["warn"]);
      await writeFile(join(directory, "links and more.yaml"), "");
      assert.deepEqual(await offeredByBash("sluice", "topology", "apply", "lin"), ["links and more.yaml"]);
    },
  );

  it("works in fish, with descriptions", { skip: hasShell("fish") ? false : "needs fish" }, async () => {
    assert.deepEqual(await offeredByFish("sluice fileset s"), ["show"]);
    assert.deepEqual(await offeredByFish("sluice fileset rm index "), ["1", "2"]);
    assert.deepEqual(await offeredByFish("sluice publish . --agent="), ["--agent=fra-0"]);
    await writeFile(join(directory, "links and more.yaml"), "");
    assert.deepEqual(await offeredByFish("sluice topology apply lin"), ["links and more.yaml"]);
    assert.deepEqual(await offeredByFish("sluice status --config=lin"), ["--config=links and more.yaml"]);
  });

  it("works in zsh, loaded from $fpath", { skip: hasShell("zsh") ? false : "needs zsh" }, async () => {
    assert.match(await shownByZsh("sluice fileset sh"), /sluice fileset show /);
    assert.match(await shownByZsh("sluice fileset show ind"), /sluice fileset show index /);
    assert.match(await shownByZsh("sluice publish . --agent=fr"), /sluice publish \. --agent=fra-0 /);
    await writeFile(join(directory, "links and more.yaml"), "");
    assert.match(await shownByZsh("sluice status --config=lin"), /links\\ and\\ more\.yaml /);
  });

  for (const shell of shells) {
    it(`prints a script that ${shell} can read`, { skip: hasShell(shell) ? false : `needs ${shell}` }, async () => {
      const script = join(directory, `script.${shell}`);
      await writeFile(script, completionScript(shell));
      execFileSync(shell, [...grammarChecks[shell], script]);
    });
  }
});
