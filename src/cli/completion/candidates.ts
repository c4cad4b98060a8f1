/**
 * What may come next on a command line, worked out from the commands alone. It promises to offer nothing that would be
 * refused: no option that was given already, no command where a name belongs.
 */
import type { Argument, Command, Option } from "commander";
import { shownCommands } from "../help-page.ts";
import { findCommand } from "../settings/command-words.ts";
import { isList } from "../settings/setting-names.ts";

/** One word and what it means. */
export interface Candidate {
  readonly word: string;
  readonly description: string;
}

/** What else may stand there: files of this host, or names that only the controller knows. */
export type Place = "nothing" | "files" | "fileSets" | "versions" | "agents" | "sites" | "resources";

export interface Completion {
  readonly candidates: readonly Candidate[];
  readonly place: Place;
  /** The file set that the versions are of. */
  readonly fileSet?: string;
  /** What stands before each word, the candidates have it already: `--agent=`. */
  readonly prefix?: string;
}

/** @param words those behind `sluice`; the last one, which may be empty, is completed */
export function completionOf(program: Command, words: readonly string[]): Completion {
  const unfinished = words.at(-1) ?? "";
  const before = words.slice(0, -1);
  const { command, rest, given } = findCommand(program, before);
  const awaited = optionAwaitingValue(command, rest);
  if (awaited !== undefined) return valueOf(command, awaited, rest);
  const joined = /^(--[a-z-]+)=/.exec(unfinished)?.[1];
  if (joined !== undefined) {
    const option = command.options.find(({ long }) => long === joined);
    if (option === undefined) return nothing;
    const completion = valueOf(command, option, rest);
    const candidates = completion.candidates.map(({ word, description }) => ({
      word: `${joined}=${word}`,
      description,
    }));
    return { ...completion, candidates, prefix: `${joined}=` };
  }
  if (unfinished.startsWith("-")) return { candidates: optionsOf(command, given), place: "nothing" };
  const operands = operandsOf(command, rest);
  if (command.commands.length > 0 && operands.length === 0) {
    const candidates = shownCommands(command).map((inner) => ({
      word: inner.name(),
      description: inner.description(),
    }));
    return { candidates, place: "nothing" };
  }
  return argumentOf(command, operands);
}

const nothing: Completion = { candidates: [], place: "nothing" };

function optionsOf(command: Command, given: ReadonlyMap<Option, string>): Candidate[] {
  const own = command.options
    .filter((option) => !option.hidden && option.long !== undefined && (!given.has(option) || isList(option)))
    .map((option) => ({ word: option.long ?? "", description: option.description }));
  return [...own, { word: "--help", description: "show help" }];
}

function optionAwaitingValue(command: Command, rest: readonly string[]): Option | undefined {
  const last = rest.at(-1) ?? "";
  return command.options.find(({ long, short, required }) => required && (last === long || last === short));
}

/** The words that are neither options nor their values. */
function operandsOf(command: Command, rest: readonly string[]): string[] {
  const operands: string[] = [];
  for (let index = 0; index < rest.length; index += 1) {
    const word = rest[index] ?? "";
    if (!word.startsWith("-") || word === "-") operands.push(word);
    else if (optionAwaitingValue(command, [word]) !== undefined) index += 1;
  }
  return operands;
}

const placesOfValues: Readonly<Record<string, Place>> = {
  file: "files",
  dir: "files",
  site: "sites",
  agent: "agents",
  fileset: "fileSets",
};

function valueOf(command: Command, option: Option, rest: readonly string[]): Completion {
  if (option.argChoices !== undefined) return { candidates: wordsOf(option.argChoices), place: "nothing" };
  const name = option.long?.slice(2) ?? "";
  const placeholder = /<([a-z]+)/.exec(option.flags)?.[1] ?? "";
  const place = placesOfValues[name] ?? placesOfValues[placeholder] ?? "nothing";
  return { ...argumentOf(command, operandsOf(command, rest)), candidates: [], place };
}

function argumentOf(command: Command, operands: readonly string[]): Completion {
  const { registeredArguments } = command;
  const last = registeredArguments.at(-1);
  const argument = registeredArguments[operands.length] ?? (last?.variadic === true ? last : undefined);
  if (argument === undefined) return nothing;
  if (argument.argChoices !== undefined) return { candidates: wordsOf(argument.argChoices), place: "nothing" };
  const place = placeOf(command, argument);
  return { candidates: [], place, ...(place === "versions" ? { fileSet: operands[0] ?? "" } : {}) };
}

function placeOf(command: Command, argument: Argument): Place {
  const name = argument.name();
  if (name === "version") return "versions";
  if (name === "name") {
    const noun = command.parent?.name();
    if (noun === "fileset") return "fileSets";
    if (noun === "agent") return "agents";
    return noun === "resource" ? "resources" : "nothing";
  }
  return name === "file" || name === "path" || name === "scenario" ? "files" : "nothing";
}

function wordsOf(words: readonly string[]): Candidate[] {
  return words.map((word) => ({ word, description: "" }));
}
