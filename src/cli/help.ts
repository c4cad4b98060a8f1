/** What a command's page says beside its options: examples, and what else there is to know. */
import type { Command } from "commander";

export interface CommandNotes {
  /** Each a line as one would type it. */
  readonly examples: readonly string[];
  /** Paragraphs. */
  readonly details: readonly string[];
}

const notes = new WeakMap<Command, CommandNotes>();

/** Adds examples, each a line as one would type it, and paragraphs that say more than the one line above them. */
export function helpWithExamples(
  command: Command,
  examples: readonly string[],
  ...details: readonly string[]
): Command {
  notes.set(command, { examples, details });
  return command;
}

/** What was added to this command. */
export function notesOf(command: Command): CommandNotes {
  return notes.get(command) ?? { examples: [], details: [] };
}
