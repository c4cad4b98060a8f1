/**
 * What an option is called where it is not typed: `--keep-free` of `sluice agent` is SLUICE_AGENT_KEEP_FREE in the
 * environment and `keep-free` in /etc/sluice/agent.yaml. It promises one name for each option of each command, worked
 * out from the command and the option alone, so that an option that is added has both from its first day.
 */
import type { Command, Option } from "commander";
import { collectList } from "../option-values.ts";

/** The files of /etc/sluice: one for each program, and one for everything that is typed. */
export const configParts = ["controller", "agent", "client"] as const;
export type ConfigPart = (typeof configParts)[number];

/** Options that mean the same wherever they are: their variables and keys are without a command's name. */
const sharedOptions = new Set(["controller", "connect-timeout", "json", "config", "log-level"]);
/** What asks for text about a command, and is no setting of it. */
const noSettings = new Set(["help", "config"]);

const commandsWithoutSettings = new WeakSet<Command>();

/** Marks a command that takes what it is told from its words alone. */
export function withoutSettings(command: Command): Command {
  commandsWithoutSettings.add(command);
  return command;
}

/** Whether a command does something by itself, and can be told how by its environment and a file. */
export function hasSettings(command: Command): boolean {
  return (command.commands.length === 0 || command.options.length > 0) && command.parent !== null && !isMarked(command);
}

function isMarked(command: Command): boolean {
  return commandsWithoutSettings.has(command);
}

/** The names of a command, from the first behind `sluice` on: `["fileset", "rm"]`. */
export function commandPath(command: Command): string[] {
  return command.parent === null ? [] : [...commandPath(command.parent), command.name()];
}

/** Options of a command that can be set elsewhere too. */
export function settableOptions(command: Command): Option[] {
  return command.options.filter((option) => !option.hidden && !noSettings.has(settingKey(option)));
}

/** Its key in a file: `keep-free`; of `--no-activate` it is `activate`. */
export function settingKey(option: Option): string {
  return (option.long ?? option.flags).replace(/^--(?:no-)?/, "");
}

/** Whether it means the same for every command that has it. */
export function isSharedOption(option: Option): boolean {
  return sharedOptions.has(settingKey(option));
}

/** Its variable in the environment. */
export function environmentName(command: Command, option: Option): string {
  const words = isSharedOption(option) ? [settingKey(option)] : [...commandPath(command), settingKey(option)];
  return ["sluice", ...words].join("_").replaceAll("-", "_").toUpperCase();
}

/** Which file its settings stand in. */
export function configPartOf(command: Command): ConfigPart {
  const path = commandPath(command);
  const [first] = path;
  return path.length === 1 && (first === "controller" || first === "agent") ? first : "client";
}

/** Where in that file: the keys from its top to the option, `fileset.rm.dry-run`. */
export function configKey(command: Command, option: Option): string {
  const section = configPartOf(command) === "client" && !isSharedOption(option) ? commandPath(command) : [];
  return [...section, settingKey(option)].join(".");
}

/** A switch has no value of its own: it is on or off. */
export function isSwitch(option: Option): boolean {
  return !option.required && !option.optional;
}

/** Whether it may be given several times. */
export function isList(option: Option): boolean {
  return option.parseArg === collectList;
}
