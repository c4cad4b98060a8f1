/** Which keys each of the config files may have, worked out from the commands that there are. */
import type { Command } from "commander";
import type { KeyTree } from "./config-file.ts";
import { configPartOf, hasSettings, isSharedOption, settableOptions, settingKey } from "./setting-names.ts";
import type { ConfigPart } from "./setting-names.ts";

/** The keys of the file of this part. */
export function keyTreeOf(program: Command, part: ConfigPart): KeyTree {
  if (part !== "client") {
    const command = program.commands.find((candidate) => candidate.name() === part);
    return command === undefined ? {} : optionKeys(command);
  }
  const shared = clientCommands(program)
    .flatMap((command) => settableOptions(command))
    .filter((option) => isSharedOption(option));
  return { ...Object.fromEntries(shared.map((option) => [settingKey(option), true as const])), ...sections(program) };
}

/** Commands whose settings stand in a file, in the order of their help. */
export function commandsWithSettings(command: Command): Command[] {
  return [
    ...(hasSettings(command) ? [command] : []),
    ...command.commands.flatMap((inner) => commandsWithSettings(inner)),
  ];
}

function clientCommands(program: Command): Command[] {
  return commandsWithSettings(program).filter((command) => configPartOf(command) === "client");
}

function sections(command: Command): KeyTree {
  const tree: Record<string, KeyTree> = {};
  for (const inner of command.commands) {
    const own = hasSettings(inner) && configPartOf(inner) === "client" ? optionKeys(inner) : {};
    const section = { ...own, ...sections(inner) };
    if (Object.keys(section).length > 0) tree[inner.name()] = section;
  }
  return tree;
}

function optionKeys(command: Command): KeyTree {
  return Object.fromEntries(settableOptions(command).map((option) => [settingKey(option), true as const]));
}
