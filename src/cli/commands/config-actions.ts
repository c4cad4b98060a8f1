/** What `sluice config show` does: it finds the values as the command itself would, and runs nothing. */
import type { Command, Option } from "commander";
import { UserError } from "../../std/errors.ts";
import { exitCodes } from "../exit-codes.ts";
import { defaultText } from "../help-page.ts";
import { isNeeded } from "../option-values.ts";
import { print } from "../output.ts";
import { createProgram } from "../program.ts";
import { findCommand } from "../settings/command-words.ts";
import { applySettings } from "../settings/settings.ts";
import type { OutsideValue } from "../settings/settings.ts";
import {
  commandPath,
  environmentName,
  hasSettings,
  isSwitch,
  settableOptions,
  settingKey,
} from "../settings/setting-names.ts";
import { formatTable } from "../table.ts";
import { refuseWrongWords } from "../wrong-words.ts";
import type { ConfigShowFlags } from "./config.ts";

/** Whose settings are shown when none is named. */
const shownByDefault = [["controller"], ["agent"], ["publish"]];

interface EffectiveSetting {
  readonly option: string;
  /** As it was written; null: it has no value. */
  readonly value: string | null;
  readonly source: "default" | "file" | "environment" | "option";
  /** The variable, the place in the file, or the words on the command line. */
  readonly from: string | null;
  readonly environment: string;
  /** Whether the command cannot do without it. */
  readonly needed: boolean;
}

interface EffectiveConfig {
  readonly command: string;
  readonly file: string | null;
  readonly fileFound: boolean;
  readonly settings: readonly EffectiveSetting[];
}

/** @throws UserError with the exit code of wrong use for a value that does not fit, or when there is no such command */
export async function showConfig(words: readonly string[], flags: ConfigShowFlags): Promise<void> {
  const shown = words.length > 0 && !takesJson(words) ? words.filter((word) => word !== "--json") : words;
  const configs = (shown.length === 0 ? shownByDefault : [shown]).map((each) => effectiveConfig(each));
  print(flags.json === true || words.includes("--json"), shown.length === 0 ? configs : configs[0], () =>
    configs.map(describe).join("\n"),
  );
}

/** Whether `--json` among these words is an option of the command that they name, not only one of `config show`. */
function takesJson(words: readonly string[]): boolean {
  return findCommand(createProgram(), words).command.options.some(({ long }) => long === "--json");
}

function effectiveConfig(words: readonly string[]): EffectiveConfig {
  const program = createProgram();
  refuseWrongWords(program, words);
  const found = findCommand(program, words);
  const { command } = found;
  if (!hasSettings(command)) {
    const name = ["sluice", ...commandPath(command)].join(" ");
    throw new UserError(`${name} has no settings`, {
      hint: "name a command that does something, such as: sluice config show agent",
      exitCode: exitCodes.usage,
    });
  }
  const applied = applySettings(program, found, process.env);
  command.parseOptions([...found.rest]);
  return {
    command: commandPath(command).join(" "),
    file: applied.file ?? null,
    fileFound: applied.isFileRead,
    settings: settableOptions(command).map((option) => effectiveSetting(command, option, found.given, applied.values)),
  };
}

function effectiveSetting(
  command: Command,
  option: Option,
  given: ReadonlyMap<Option, string>,
  outside: readonly OutsideValue[],
): EffectiveSetting {
  const shared = {
    option: settingKey(option),
    environment: environmentName(command, option),
    needed: isNeeded(option),
  };
  const typed = given.get(option);
  if (typed !== undefined) return { ...shared, value: typed, source: "option", from: option.long ?? null };
  const value = outside.find((candidate) => candidate.option === option);
  if (value !== undefined) return { ...shared, value: value.text, source: value.source, from: value.from };
  return {
    ...shared,
    value: defaultText(option) ?? (isSwitch(option) ? String(option.negate) : null),
    source: "default",
    from: null,
  };
}

function describe({ command, file, fileFound, settings }: EffectiveConfig): string {
  const where = file === null ? "no config file" : `${file}${fileFound ? "" : " (not there)"}`;
  const table = formatTable<EffectiveSetting>(
    [
      { title: "OPTION", cell: ({ option }) => option },
      { title: "VALUE", cell: ({ value }) => value ?? "" },
      {
        title: "FROM",
        cell: ({ value, needed, source, from }) =>
          value === null ? (needed ? "needed, not set" : "not set") : [source, from ?? ""].join(" ").trim(),
      },
    ],
    settings,
    "it has no options",
  );
  return `sluice ${command}: ${where}\n${table}`;
}
