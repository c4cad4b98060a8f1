/**
 * The reference pages, written from the commands themselves: docs/cli.md and docs/config.md have these tables between
 * their marks, and `npm run check` fails when they are not what this says. `node scripts/cli-pages.mjs` writes them.
 */
import type { Command, Option } from "commander";
import { exitCodeTexts } from "./exit-codes.ts";
import { notesOf } from "./help.ts";
import { defaultText, shownCommands, synopses } from "./help-page.ts";
import { isNeeded } from "./option-values.ts";
import { createProgram } from "./program.ts";
import { commandsWithSettings } from "./settings/key-tree.ts";
import {
  commandPath,
  configKey,
  configPartOf,
  configParts,
  environmentName,
  isList,
  isSharedOption,
  isSwitch,
  settableOptions,
} from "./settings/setting-names.ts";

/** The part of docs/cli.md that is written: every command with its options and examples, and the exit codes. */
export function commandReference(): string {
  const commands = everyCommand(createProgram()).filter((command) => command.parent !== null);
  const leaves = commands.filter(({ commands: inner, options }) => inner.length === 0 || options.length > 0);
  const codes = exitCodeTexts.map(([code, text]) => [String(code), text]);
  return [...leaves.map(commandSection), `## Exit codes\n\n${table(["code", "meaning"], codes)}`].join("\n");
}

/** The part of docs/config.md that is written: for each file its keys, variables and defaults. */
export function configReference(): string {
  const commands = commandsWithSettings(createProgram());
  return configParts
    .map((part) => {
      const rows = new Map<string, readonly string[]>();
      for (const command of commands.filter((candidate) => configPartOf(candidate) === part)) {
        for (const option of settableOptions(command)) {
          const row = configRow(command, option);
          const before = rows.get(row[0] ?? "");
          // The same option of several commands is one line; its default may differ between them.
          if (before === undefined) rows.set(row[0] ?? "", row);
          else if (!before[2]?.split("; ").includes(row[2] ?? "")) {
            rows.set(row[0] ?? "", before.with(2, `${before[2]}; ${row[2]}`));
          }
        }
      }
      const head = ["key", "environment variable", "default", "what it is"];
      return `### /etc/sluice/${part}.yaml\n\n${table(head, [...rows.values()])}`;
    })
    .join("\n");
}

function everyCommand(command: Command): Command[] {
  return [command, ...shownCommands(command).flatMap((inner) => everyCommand(inner))];
}

function commandSection(command: Command): string {
  const { examples, details } = notesOf(command);
  const names = command.registeredArguments.map((argument) => [`\`<${argument.name()}>\``, argument.description, ""]);
  const options = command.options
    .filter(({ hidden }) => !hidden)
    .map((option) => [`\`${option.flags}\``, optionMeaning(option), defaultOf(option)]);
  const first = command.description();
  const parts = [
    `## sluice ${commandPath(command).join(" ")}`,
    `\`\`\`\n${synopses(command).join("\n")}\n\`\`\``,
    `${first.slice(0, 1).toUpperCase()}${first.slice(1)}.`,
    ...details,
    ...(names.length + options.length === 0
      ? []
      : [table(["option", "meaning", "default"], [...names, ...options]).trimEnd()]),
    ...(examples.length === 0 ? [] : [`\`\`\`\n${examples.join("\n")}\n\`\`\``]),
  ];
  return `${parts.join("\n\n")}\n`;
}

function optionMeaning({ description, argChoices }: Option): string {
  return argChoices === undefined ? description : `${description}: ${argChoices.join(", ")}`;
}

function defaultOf(option: Option): string {
  return isNeeded(option) ? "needed" : (defaultText(option) ?? "");
}

function configRow(command: Command, option: Option): readonly string[] {
  const kind = isList(option) ? "a list, or a map" : isSwitch(option) ? "true or false" : "";
  const value = isSwitch(option) ? String(option.negate) : defaultOf(option);
  const where = isSharedOption(option) && configPartOf(command) === "client" ? " (for every command that has it)" : "";
  const meaning = `${option.negate ? `false: ${option.description}` : optionMeaning(option)}${kind === "" ? "" : `; ${kind}`}`;
  return [`\`${configKey(command, option)}\``, `\`${environmentName(command, option)}\``, value, meaning + where];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`.replaceAll(/ +\|/g, " |");
  return [line(head), `|${"---|".repeat(head.length)}`, ...rows.map(line), ""].join("\n");
}
