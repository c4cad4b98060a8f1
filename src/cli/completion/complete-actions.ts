/**
 * What the hidden `sluice complete` does: prints what may come next, a line each, word and description parted by a tab;
 * a first line `:files` tells the shell to offer files. It promises to be silent about anything that goes wrong, and to
 * be done without the controller's names when it does not answer at once.
 */
import { print } from "../output.ts";
import { ControllerClient } from "../controller-client.ts";
import { defaultControllerUrl } from "../controller-options.ts";
import { createProgram } from "../program.ts";
import { findCommand } from "../settings/command-words.ts";
import { applySettings } from "../settings/settings.ts";
import { completionOf } from "./candidates.ts";
import type { Candidate, Completion } from "./candidates.ts";

/** How long names are waited for: somebody is typing. */
const patienceMilliseconds = 700;

export async function complete(words: readonly string[]): Promise<void> {
  const completion = completionOf(createProgram(), words);
  const found = await Promise.race([namesAt(completion, words), tooLate()]);
  const names = found.map(({ word, description }) => ({ word: `${completion.prefix ?? ""}${word}`, description }));
  const unfinished = words.at(-1) ?? "";
  const fitting = [...completion.candidates, ...names].filter(({ word }) => word.startsWith(unfinished));
  const lines = fitting.map(({ word, description }) => (description === "" ? word : `${word}\t${description}`));
  print(false, undefined, () => [...(completion.place === "files" ? [":files"] : []), ...lines, ""].join("\n"));
  // A request that was given up may still be under way.
  process.exit(0);
}

async function tooLate(): Promise<Candidate[]> {
  return new Promise((resolve) => {
    setTimeout(() => resolve([]), patienceMilliseconds);
  });
}

async function namesAt({ place, fileSet }: Completion, words: readonly string[]): Promise<Candidate[]> {
  if (place === "nothing" || place === "files") return [];
  try {
    const client = new ControllerClient({ url: controllerUrl(words), connectTimeoutMilliseconds: 0 });
    if (place === "fileSets") {
      const names = new Set((await client.fileSets()).map(({ name }) => name));
      return [...names].map((word) => ({ word, description: "file set" }));
    }
    if (place === "versions") {
      const versions = await client.versionsOf(fileSet ?? "");
      return versions.map(({ version, state, active }) => ({ word: version, description: active ? "active" : state }));
    }
    if (place === "resources") {
      return (await client.resources()).map(({ resource }) => ({ word: resource, description: "" }));
    }
    const agents = await client.agents();
    if (place === "agents") return agents.map(({ name, site }) => ({ word: name, description: `agent in ${site}` }));
    return [...new Set(agents.map(({ site }) => site))].map((word) => ({ word, description: "site" }));
  } catch {
    return [];
  }
}

/** The controller that the unfinished command would ask. */
function controllerUrl(words: readonly string[]): string {
  const program = createProgram();
  const found = findCommand(program, words.slice(0, -1));
  applySettings(program, found, process.env);
  found.command.parseOptions([...found.rest]);
  const url: unknown = found.command.getOptionValue("controller");
  return typeof url === "string" ? url : defaultControllerUrl;
}
