/** `sluice status --watch` on a terminal: a live screen that follows a real distribution and a controller's restart. */
import { strict as assert } from "node:assert";
import { spawn, spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe } from "node:test";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { contentOf, mebibyte } from "./support/content.ts";
import { agentsOf, fleetTest } from "./support/fleet.ts";
import { waitUntil } from "./support/waiting.ts";

const sluice = fileURLToPath(new URL("../../bin/sluice", import.meta.url));
const hasScript = spawnSync("script", ["--version"], { stdio: "ignore" }).status === 0;

/** A command on a terminal of its own, which util-linux's `script` makes. */
function onTerminal(words: readonly string[], environment: NodeJS.ProcessEnv) {
  const command = ["stty", "rows", "24", "cols", "110;", "exec", process.execPath, sluice, ...words].join(" ");
  const child = spawn("script", ["-qefc", command, "/dev/null"], {
    env: { ...process.env, LANG: "C.UTF-8", TERM: "xterm", ...environment },
    stdio: ["pipe", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (part: string) => (text += part));
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  return {
    ended,
    shown: () => stripVTControlCharacters(text),
    forget: () => (text = ""),
    // As a person would: the terminal makes a signal of it.
    interrupt: () => child.stdin.write("\u0003"),
    kill: () => child.kill("SIGKILL"),
  };
}

describe("watching on a terminal", () => {
  fleetTest(
    "shows a distribution advance, survives a restart of the controller, and ends when interrupted",
    {
      topology: { sites: { fra: {}, iad: { downlink: "20Mbps" } } },
      agents: agentsOf({ fra: 1, iad: 2 }),
      skip: hasScript ? false : "needs script of util-linux",
      timeoutMilliseconds: 90_000,
    },
    async (fleet) => {
      const watch = onTerminal(["status", "--watch", "--interval", "200ms"], { SLUICE_CONTROLLER: fleet.url });
      try {
        await waitUntil("the empty fleet is shown", () =>
          /3 of 3 agents online[\s\S]*no file sets/.test(watch.shown()),
        );
        const source = join(fleet.directory, "source");
        await writeFile(source, contentOf("watched", 6 * mebibyte));
        await fleet.must("publish", source, "--fileset", "watched", "--version", "1", "--agent", "fra-0");
        await waitUntil("the site's bar advances", () => /iad +█+░+ +[1-9][\d.]* % +0\/2 agents/.test(watch.shown()));
        await waitUntil("the busy link is shown", () => /sites\.iad\.downlink +█+/.test(watch.shown()));
        await waitUntil("all of it is there", () => /watched@1 +active +█+ 100 % +3\/3/.test(watch.shown()), 60_000);
        await fleet.controller.stop();
        await waitUntil("the absence is told", () => /cannot be reached|closed the connection/.test(watch.shown()));
        watch.forget();
        await fleet.startController();
        // Only what changes is written anew: the line of the agents when the one about the absence is gone.
        const isBack = (): boolean => /agents online(?![\s\S]*trying again)/.test(watch.shown());
        await waitUntil("it follows again", isBack, 40_000);
        watch.interrupt();
        assert.equal(await watch.ended, 130);
      } finally {
        watch.kill();
      }
    },
  );
});
