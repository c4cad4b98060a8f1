/**
 * The page that `--help` shows, in the order of a manual page: name, synopsis, description, commands, arguments, options
 * (each with its default, variable and key), examples, exit codes. Written from the commands alone.
 */
import type { Command, Help, Option } from "commander";
import pc from "picocolors";
import { exitCodeTexts } from "./exit-codes.ts";
import { notesOf } from "./help.ts";
import { isNeeded } from "./option-values.ts";
import {
  commandPath,
  configPartOf,
  environmentName,
  hasSettings,
  settableOptions,
  settingKey,
} from "./settings/setting-names.ts";

const indent = "  ";
const narrowest = 60;
const widest = 100;

/** The page as text; commander calls it for every `--help`. */
export function helpPage(command: Command, helper: Help): string {
  const width = Math.min(widest, Math.max(narrowest, helper.helpWidth ?? 80));
  const name = ["sluice", ...commandPath(command)].join(" ");
  const { details, examples } = notesOf(command);
  const paragraphs = [sentence(command.description()), ...details, ...settingsNote(command)];
  const sections: [string, string[]][] = [
    ["NAME", wrapped(`${name} - ${command.description()}`, width)],
    ["SYNOPSIS", synopses(command).flatMap((line) => wrapped(line, width))],
    ["DESCRIPTION", paragraphs.flatMap((text, index) => [...(index > 0 ? [""] : []), ...wrapped(text, width)])],
    [
      "COMMANDS",
      columns(
        shownCommands(command).map((inner) => [inner.name(), inner.description()]),
        width,
      ),
    ],
    ["ARGUMENTS", command.registeredArguments.flatMap((each) => entry(`<${each.name()}>`, each.description, width))],
    ["OPTIONS", shownOptions(command).flatMap((option) => entry(option.flags, optionText(command, option), width))],
    ["EXAMPLES", examples.map((example) => indent + example)],
    ["EXIT CODES", command.parent === null ? exitCodeLines(width) : []],
  ];
  return sections
    .filter(([, lines]) => lines.length > 0)
    .map(([title, lines]) => `${pc.bold(title)}\n${lines.map((line) => `${line.trimEnd()}\n`).join("")}`)
    .join("\n");
}

/** How a command is written: one line, or one for running it and one for its verbs. */
export function synopses(command: Command): string[] {
  const name = ["sluice", ...commandPath(command)].join(" ");
  const words = command.registeredArguments.map((argument) =>
    argument.required ? `<${argument.name()}>` : `[${argument.name()}]`,
  );
  const needed = command.options.filter((option) => isNeeded(option)).map(({ flags }) => flags.replace(/^-\w, /, ""));
  const own = [name, ...words, ...needed, "[options]"].join(" ");
  if (command.commands.length === 0) return [own];
  const verbs = `${name} <command> ...`;
  return hasSettings(command) ? [own, verbs] : [verbs];
}

/** Commands that are not hidden. */
export function shownCommands(command: Command): Command[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .filter((inner) => inner.name() !== "help");
}

/** What stands as an option's default: in its own words if it has some, nothing where there is none. */
export function defaultText(option: Option): string | undefined {
  if (option.defaultValueDescription !== undefined) return option.defaultValueDescription;
  const value: unknown = option.defaultValue;
  if (typeof value === "string" || typeof value === "number") return String(value);
  return undefined;
}

function shownOptions(command: Command): Option[] {
  return command.options.filter(({ hidden }) => !hidden);
}

function optionText(command: Command, option: Option): string {
  const text = [option.description];
  if (option.argChoices !== undefined) text.push(`one of ${option.argChoices.join(", ")}`);
  const value = defaultText(option);
  const remarks = [
    ...(isNeeded(option) ? ["needed"] : []),
    ...(value === undefined ? [] : [`default: ${value}`]),
    ...(hasSettings(command) && settableOptions(command).includes(option) ? [environmentName(command, option)] : []),
    ...(settingKey(option) === "config" ? ["SLUICE_CONFIG"] : []),
  ];
  return `${text.join("; ")}${remarks.length === 0 ? "" : ` [${remarks.join(", ")}]`}`;
}

function settingsNote(command: Command): string[] {
  if (!hasSettings(command)) return [];
  const file = `/etc/sluice/${configPartOf(command)}.yaml`;
  return [
    `Every option can also be set by its environment variable, shown in brackets, or in ${file}; the command line wins, then the environment, then the file. "sluice config show ${commandPath(command).join(" ")}" tells what is in force.`,
  ];
}

function exitCodeLines(width: number): string[] {
  return columns(
    exitCodeTexts.map(([code, text]) => [String(code), text]),
    width,
  );
}

/** Short words, and what they mean beside them. */
function columns(rows: readonly (readonly [string, string])[], width: number): string[] {
  const widestHead = rows.reduce((longest, [head]) => Math.max(longest, head.length), 0);
  const margin = indent.length + widestHead + 2;
  return rows.flatMap(([head, text]) => {
    const [first = "", ...more] = wrapped(text, width, " ".repeat(margin));
    return [(indent + head).padEnd(margin) + first.slice(margin), ...more];
  });
}

function entry(head: string, text: string, width: number): string[] {
  return [indent + head, ...wrapped(text, width, indent.repeat(4))];
}

function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}${text.endsWith(".") ? "" : "."}`;
}

function wrapped(text: string, width: number, margin: string = indent): string[] {
  const lines: string[] = [];
  let line = margin;
  for (const word of text.split(/\s+/)) {
    if (line.length > margin.length && line.length + 1 + word.length > width) {
      lines.push(line);
      line = margin;
    }
    line += line.length > margin.length ? ` ${word}` : word;
  }
  return [...lines, line];
}
