/**
 * Mistyped words, found before commander reads them: commander would first ask for options that are missing, or take a
 * mistyped verb for an argument. It promises that the first word that cannot be right is named, with the nearest that is.
 */
import type { Command } from "commander";
import { nearestSpelling } from "../std/nearest.ts";
import { commandPath } from "./settings/setting-names.ts";
import { findCommand } from "./settings/command-words.ts";

const passingOn = new WeakSet<Command>();

/** Has a command take words as they are, those that look like options too. */
export function passesWordsOn(command: Command): Command {
  passingOn.add(command);
  return command.passThroughOptions().allowUnknownOption();
}

/** `sluice help agent drain` is `sluice agent drain --help`. */
export function helpWords(words: readonly string[]): readonly string[] {
  return words[0] === "help" ? [...words.slice(1), "--help"] : words;
}

/** @throws CommanderError, after it was told, for a command or an option that there is not */
export function refuseWrongWords(program: Command, words: readonly string[]): void {
  const { command, unknownOption, operand, rest } = findCommand(program, words);
  if (passingOn.has(command)) return;
  const hasVerbs = command.commands.length > 0;
  const isVerbFirst = hasVerbs && operand !== undefined && isBefore(rest, operand, unknownOption);
  if (unknownOption !== undefined && !isVerbFirst) refuseOption(command, unknownOption);
  if (operand === undefined || operand === "help" || !hasVerbs) return;
  const verbs = command.commands.map((verb) => verb.name());
  refuse(command, `unknown command '${operand}'`, nearestSpelling(operand, verbs), "commander.unknownCommand");
}

/** An option behind a word that is no command: that word is what is wrong. */
function isBefore(rest: readonly string[], operand: string, option: string | undefined): boolean {
  return option === undefined || rest.indexOf(operand) < rest.findIndex((word) => word.startsWith(option));
}

function refuseOption(command: Command, flag: string): never {
  const own = command.options.filter(({ hidden }) => !hidden).flatMap(({ long }) => long ?? []);
  const name = commandPath(command).join(" ");
  const elsewhere = name === "" ? "options stand behind the command: sluice status --json" : undefined;
  return refuse(command, `unknown option '${flag}'`, nearestSpelling(flag, own), "commander.unknownOption", elsewhere);
}

function refuse(command: Command, text: string, nearest: string | undefined, code: string, otherwise?: string): never {
  const hint = nearest === undefined ? otherwise : `Did you mean ${nearest}?`;
  return command.error(`error: ${text}${hint === undefined ? "" : `\n(${hint})`}`, { code });
}

/** Commander's message for a value that is none of those allowed, with the nearest that is. */
export function clearerChoices(text: string): string {
  const match =
    /^error: (?:option '(?:-\w, )?(--[\w-]+)[^']*' argument|command-argument value) '(.*)' is invalid(?: for argument '(\w+)')?\. Allowed choices are (.+)\.$/m.exec(
      text,
    );
  if (match === null) return text;
  const [whole, option, value = "", argument = "", list = ""] = match;
  const nearest = nearestSpelling(value, list.split(", "));
  const hint = nearest === undefined ? "" : `\n(Did you mean ${nearest}?)`;
  return text.replace(whole, `error: ${option ?? argument} cannot be '${value}': it is one of ${list}${hint}`);
}
