import { strict as assert } from "node:assert";
import { describe, it } from "node:test";
import type { Command } from "commander";
import { notesOf } from "./help.ts";
import { shownCommands } from "./help-page.ts";
import { createProgram } from "./program.ts";
import { commandReference, configReference } from "./reference.ts";
import { findCommand } from "./settings/command-words.ts";
import { commandPath } from "./settings/setting-names.ts";

function everyCommand(command: Command): Command[] {
  return [command, ...shownCommands(command).flatMap((inner) => everyCommand(inner))];
}

describe("help", () => {
  const leaves = everyCommand(createProgram()).filter(({ commands }) => commands.length === 0);

  it("has an example for every command, which is one of that command", () => {
    for (const command of leaves) {
      const path = commandPath(command);
      const { examples } = notesOf(command);
      assert.ok(examples.length > 0, `${path.join(" ")} has no example`);
      const own = examples.some((example) => {
        const words = example.split(/[|>()]/).flatMap((part) => part.trim().split(/\s+/));
        const start = words.indexOf("sluice");
        return commandPath(findCommand(createProgram(), words.slice(start + 1)).command).join(" ") === path.join(" ");
      });
      assert.ok(own, `no example of ${path.join(" ")} is one`);
    }
  });

  it("offers JSON for every command that answers", () => {
    for (const command of leaves) {
      const name = commandPath(command).join(" ");
      if (name === "controller") continue;
      assert.ok(
        command.options.some(({ long }) => long === "--json"),
        `${name} has no --json`,
      );
    }
  });

  it("reads like a manual page, of the width of the terminal", () => {
    const publish = leaves.find((command) => command.name() === "publish");
    const page = publish?.configureHelp({ ...publish.configureHelp(), helpWidth: 70 }).helpInformation();
    assert.match(page ?? "", /^NAME\n[\s\S]+\nSYNOPSIS\n[\s\S]+\nDESCRIPTION\n[\s\S]+\nOPTIONS\n[\s\S]+\nEXAMPLES\n/);
    assert.match(page ?? "", /--final-on-exit <pid>\n {8}with --follow: .*\n {8}\[SLUICE_PUBLISH_FINAL_ON_EXIT\]\n/);
  });

  it("is what the reference pages are written from", () => {
    assert.match(
      commandReference(),
      /## sluice fileset rm\n[\s\S]*\| `--dry-run` \| only say what agents would delete \|/,
    );
    assert.match(configReference(), /\| `fileset\.rm\.dry-run` \| `SLUICE_FILESET_RM_DRY_RUN` \| false \|/);
    assert.match(configReference(), /\| `connect-timeout` \| `SLUICE_CONNECT_TIMEOUT` \| 3s; 30s \|/);
  });
});
