/**
 * Which command a line of words means, before commander reads it: settings from elsewhere have to be in place by then.
 * It reads words as commander does with positional options: an option behind a command is that command's.
 */
import type { Command, Option } from "commander";
import { isList, isSwitch, settingKey } from "./setting-names.ts";

export interface FoundCommand {
  /** The innermost command that the words name; the program itself when they name none. */
  readonly command: Command;
  /** The words behind its name. */
  readonly rest: readonly string[];
  /** The options of it that these give, each with its value as it is typed (`true` for a switch). */
  readonly given: ReadonlyMap<Option, string>;
  /** What `--config` names there. */
  readonly configFile: string | undefined;
  /** The first word there that looks like an option and is none of it. */
  readonly unknownOption: string | undefined;
  /** The first word there that is neither an option nor the value of one. */
  readonly operand: string | undefined;
}

/** Finds the command. Nothing is refused here: mistyped words are commander's to tell. */
export function findCommand(program: Command, words: readonly string[]): FoundCommand {
  let command = program;
  let rest = words;
  for (;;) {
    const { operandAt } = scan(command, rest);
    const name = operandAt === undefined ? undefined : rest[operandAt];
    const next = command.commands.find((candidate) => candidate.name() === name);
    if (next === undefined || operandAt === undefined) break;
    command = next;
    rest = rest.slice(operandAt + 1);
  }
  const { given, configFile, unknownOption, operandAt } = scan(command, rest);
  const operand = operandAt === undefined ? undefined : rest[operandAt];
  return { command, rest, given, configFile, unknownOption, operand };
}

interface Scanned {
  operandAt: number | undefined;
  readonly given: Map<Option, string>;
  configFile: string | undefined;
  unknownOption: string | undefined;
}

function scan(command: Command, words: readonly string[]): Scanned {
  const result: Scanned = { operandAt: undefined, given: new Map(), configFile: undefined, unknownOption: undefined };
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? "";
    if (word === "--") break;
    if (!word.startsWith("-") || word === "-") {
      result.operandAt ??= index;
      continue;
    }
    const equals = word.indexOf("=");
    const isLong = word.startsWith("--");
    const flag = isLong ? word.slice(0, equals < 0 ? undefined : equals) : word.slice(0, 2);
    const option = command.options.find(({ long, short }) => flag === long || flag === short);
    if (option === undefined) {
      if (flag !== "--help" && flag !== "-h") result.unknownOption ??= flag;
      continue;
    }
    const hasOwnValue = isLong ? equals >= 0 : word.length > 2;
    const value = hasOwnValue ? word.slice(isLong ? equals + 1 : 2) : words[index + 1];
    const before = isList(option) ? result.given.get(option) : undefined;
    const text = isSwitch(option) ? String(!option.negate) : (value ?? "");
    result.given.set(option, before === undefined ? text : `${before},${text}`);
    if (settingKey(option) === "config") result.configFile = value;
    if (option.required && !hasOwnValue) index += 1;
  }
  return result;
}
