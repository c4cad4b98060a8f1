import { strict as assert } from "node:assert";
import { describe, it } from "node:test";
import { CommanderError } from "commander";
import { createProgram } from "./program.ts";
import { clearerChoices, helpWords, refuseWrongWords } from "./wrong-words.ts";

/** What is said about a line of words; empty: nothing. */
function said(line: string): string {
  const program = createProgram();
  let text = "";
  const silence = (each: typeof program): void => {
    each.configureOutput({ writeErr: (written) => (text += written) });
    each.commands.forEach(silence);
  };
  silence(program);
  try {
    refuseWrongWords(program, helpWords(line.split(" ")));
    return "";
  } catch (error) {
    assert.ok(error instanceof CommanderError);
    return text;
  }
}

describe("wrong words", () => {
  it("are told before anything that is missing, with the nearest that is right", () => {
    assert.equal(said("publish --fileste index"), "sluice: unknown option '--fileste'\nDid you mean --fileset?\n");
    assert.equal(said("plan shwo"), "sluice: unknown command 'shwo'\nDid you mean show?\n");
    assert.equal(said("agent drian --jsno"), "sluice: unknown command 'drian'\nDid you mean drain?\n");
    assert.equal(said("help agent drian"), "sluice: unknown command 'drian'\nDid you mean drain?\n");
    assert.match(
      said("--controller http://c:1 status"),
      /unknown option '--controller'\noptions stand behind the command/,
    );
  });

  it("are not those that are right, or that a command passes on", () => {
    for (const line of [
      "publish - --fileset=-x --wait",
      "agent --data x --name y",
      "agent ls -c http://c:1 --help",
      "fileset help rm",
      "help agent drain",
      "config show publish --wait",
      "complete -- publsh --x",
    ]) {
      assert.equal(said(line), "", line);
    }
  });

  it("may be a value: the nearest that is allowed is told", () => {
    const choices = "Allowed choices are debug, info, warn.";
    assert.equal(
      clearerChoices(`error: option '--log-level <level>' argument 'wran' is invalid. ${choices}`),
      "error: --log-level cannot be 'wran': it is one of debug, info, warn\n(Did you mean warn?)",
    );
    assert.equal(
      clearerChoices(
        "error: command-argument value 'x' is invalid for argument 'shell'. Allowed choices are bash, zsh.",
      ),
      "error: shell cannot be 'x': it is one of bash, zsh",
    );
    assert.equal(clearerChoices("error: anything else"), "error: anything else");
  });
});
