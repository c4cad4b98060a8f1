/**
 * What a program tells its operator while it runs: one line for each event worth one, on standard error, so that
 * standard output stays for answers. On a terminal lines for people, elsewhere one JSON object each (pino's form).
 */
import { pino } from "pino";
import type { Logger } from "pino";
import { logLevels } from "./log-levels.ts";
import { printable } from "./printable.ts";

export type { Logger };

export interface LogOptions {
  /** The program that speaks: `controller`, `agent`. */
  readonly program: string;
  /** One of `logLevels`; else what SLUICE_LOG_LEVEL says; else info. */
  readonly level?: string | undefined;
  /** Where lines go; standard error when not given. */
  readonly destination?: { write(text: string): void };
  /** Lines for people; when not given, whether standard error is a terminal. */
  readonly human?: boolean;
}

/** Makes a program's log. An unknown level counts as info. */
export function createLogger(options: LogOptions): Logger {
  const asked = options.level ?? process.env["SLUICE_LOG_LEVEL"] ?? "info";
  const level = (logLevels as readonly string[]).includes(asked) ? asked : "info";
  const destination = options.destination ?? process.stderr;
  const human = options.human ?? process.stderr.isTTY;
  return pino(
    {
      level,
      base: { program: options.program },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line) => void destination.write(human ? humanLine(line) : line) },
  );
}

/** A log that says nothing, for what is run without one. */
export function silentLogger(): Logger {
  return pino({ level: "silent" });
}

/** `14:02:11 warn  the text  key=value ...`; control characters are shown, not obeyed, since texts come from outside too. */
function humanLine(line: string): string {
  const {
    time,
    level,
    msg,
    program: _program,
    err,
    ...rest
  } = JSON.parse(line) as Record<string, unknown> & {
    msg?: string;
  };
  const clock = String(time).slice(11, 19);
  const fields = Object.entries(rest).map(([name, value]) => `  ${name}=${fieldText(value)}`);
  const stack = err !== null && typeof err === "object" && "stack" in err ? `\n${String(err.stack)}` : "";
  return `${clock} ${String(level).padEnd(5)} ${printable(msg ?? "")}${fields.join("")}${stack}\n`;
}

function fieldText(value: unknown): string {
  return typeof value === "string" && /^[\w.:/@+-]+$/.test(value) ? value : printable(JSON.stringify(value));
}
