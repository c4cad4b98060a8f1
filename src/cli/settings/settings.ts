/**
 * Where the value of an option comes from: the command line, else the environment, else a config file, else its default.
 * It promises that what is given on the command line always wins, that a value from elsewhere is read as strictly as one
 * that is typed, and that a mistake names the variable or the file and line where it stands.
 */
import { join } from "node:path";
import { InvalidArgumentError } from "commander";
import type { Command, Option } from "commander";
import { UserError } from "../../std/errors.ts";
import { exitCodes } from "../exit-codes.ts";
import { excludes } from "../option-values.ts";
import type { FoundCommand } from "./command-words.ts";
import { checkKeys, mistake, readConfigFile } from "./config-file.ts";
import type { ConfigValue } from "./config-file.ts";
import { keyTreeOf } from "./key-tree.ts";
import {
  commandPath,
  configPartOf,
  environmentName,
  hasSettings,
  isList,
  isSharedOption,
  isSwitch,
  settableOptions,
  settingKey,
} from "./setting-names.ts";

/** Where config files are looked for; SLUICE_CONFIG_DIRECTORY names another directory. */
const defaultConfigDirectory = "/etc/sluice";

export type Environment = Readonly<Record<string, string | undefined>>;

/** A value that did not come from the command line, as it was written. */
export interface OutsideValue {
  readonly option: Option;
  readonly text: string;
  readonly source: "environment" | "file";
  /** The variable, or the place in the file. */
  readonly from: string;
}

export interface AppliedSettings {
  /** The file that was looked at; undefined: none was to be read. */
  readonly file: string | undefined;
  readonly isFileRead: boolean;
  readonly values: readonly OutsideValue[];
}

/**
 * Puts values from the environment and from a file into a command, for commander to find as if they were defaults.
 * @throws UserError with the exit code of wrong use for a value that does not fit
 */
export function applySettings(program: Command, found: FoundCommand, environment: Environment): AppliedSettings {
  const { command } = found;
  if (!hasSettings(command)) return { file: undefined, isFileRead: false, values: [] };
  const { path, isOptional } = configPath(found, environment);
  const file = path === undefined ? undefined : readConfigFile(path, isOptional);
  if (file !== undefined) checkKeys(file, keyTreeOf(program, configPartOf(command)));
  const values: OutsideValue[] = [];
  for (const option of settableOptions(command)) {
    if ([...found.given.keys()].some((given) => given === option || excludes(given, option))) continue;
    const value = fromEnvironment(command, option, environment) ?? fromFile(command, option, file);
    if (value === undefined) continue;
    const source = value.outside.source === "file" ? "config" : "env";
    command.setOptionValueWithSource(option.attributeName(), value.parsed, source);
    values.push(value.outside);
  }
  return { file: path, isFileRead: file !== undefined, values };
}

/** Which file is read: `--config`, else SLUICE_CONFIG (none if that is empty), else the one of /etc/sluice if it is there. */
function configPath(found: FoundCommand, environment: Environment): { path: string | undefined; isOptional: boolean } {
  const named = found.configFile ?? environment["SLUICE_CONFIG"];
  if (named !== undefined) return { path: named === "" ? undefined : named, isOptional: false };
  const directory = environment["SLUICE_CONFIG_DIRECTORY"] ?? defaultConfigDirectory;
  return { path: join(directory, `${configPartOf(found.command)}.yaml`), isOptional: true };
}

interface ReadValue {
  readonly parsed: unknown;
  readonly outside: OutsideValue;
}

function fromEnvironment(command: Command, option: Option, environment: Environment): ReadValue | undefined {
  const name = environmentName(command, option);
  const text = environment[name];
  if (text === undefined || text === "") return undefined;
  const refuse = (message: string): UserError => new UserError(`${name}: ${message}`, { exitCode: exitCodes.usage });
  const parsed = parsedText(option, isList(option) ? text.split(",") : [text], refuse);
  return { parsed, outside: { option, text, source: "environment", from: name } };
}

function fromFile(command: Command, option: Option, file: ConfigValue | undefined): ReadValue | undefined {
  const value = configured(command, option, file);
  if (value === undefined) return undefined;
  const { place } = value;
  const key = settingKey(option);
  const refuse = (message: string): UserError => mistake(place, `${key}: ${message}`);
  const texts = textsOf(option, value);
  if (texts === undefined) throw refuse(isList(option) ? "it must be a list, or a map" : "it must be one plain value");
  const parsed = parsedText(option, texts, refuse);
  return { parsed, outside: { option, text: texts.join(","), source: "file", from: place } };
}

/** The value for an option: in the command's own section, else at the top if all commands share the option. */
function configured(command: Command, option: Option, file: ConfigValue | undefined): ConfigValue | undefined {
  const key = settingKey(option);
  if (configPartOf(command) !== "client") return file?.keys?.get(key);
  let section = file;
  for (const name of commandPath(command)) section = section?.keys?.get(name);
  return section?.keys?.get(key) ?? (isSharedOption(option) ? file?.keys?.get(key) : undefined);
}

function textsOf(option: Option, { text, list, keys }: ConfigValue): readonly string[] | undefined {
  if (!isList(option)) return text === undefined ? undefined : [text];
  if (text !== undefined) return text.split(",");
  if (list !== undefined) return list;
  const pairs = [...(keys ?? [])];
  return pairs.every(([, value]) => value.text !== undefined)
    ? pairs.map(([name, value]) => `${name}=${value.text ?? ""}`)
    : undefined;
}

function parsedText(option: Option, texts: readonly string[], refuse: (message: string) => UserError): unknown {
  if (isSwitch(option)) return switchOf(texts[0] ?? "", refuse);
  if (isList(option)) return texts.map((text) => text.trim()).filter((text) => text !== "");
  const [text = ""] = texts;
  try {
    return option.parseArg === undefined ? text : option.parseArg<unknown>(text, undefined);
  } catch (error) {
    if (error instanceof InvalidArgumentError) throw refuse(`${JSON.stringify(text)} does not fit: ${error.message}`);
    throw error;
  }
}

function switchOf(text: string, refuse: (message: string) => UserError): boolean {
  const word = text.toLowerCase();
  if (["true", "1", "yes", "on"].includes(word)) return true;
  if (["false", "0", "no", "off"].includes(word)) return false;
  throw refuse(`${JSON.stringify(text)} is neither true nor false`);
}
