/**
 * npm run race -- RACE: the same payload through the same shaped links, once with each tool, with everything measured. It
 * leaves nothing behind: no process, namespace or file but those that were asked for; the logs when a run failed.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { printable } from "#src/platform/printable.ts";
import { UserError } from "#src/std/errors.ts";
import { nanosecondsPerMillisecond, parseDurationNanoseconds } from "#src/std/units.ts";
import { checkLabIsPossible } from "./network/commands.ts";
import { loadRace, raceNames } from "./race/load-race.ts";
import { runRace } from "./race/run-race.ts";
import { hasFailed, type RaceReport } from "./report/race-report.ts";
import { raceMarkdown } from "./report/markdown.ts";
import { recordRace } from "./report/record.ts";
import { raceSvg } from "./report/svg.ts";
import { raceTools, toolsNamed } from "./tools/all-tools.ts";
import { defaultRaceTimeoutMilliseconds } from "./tools/limits.ts";

const usage = `npm run race -- RACE [options]

RACE is a file, or one of ${raceNames().join(", ")}.

  --tools LIST      ${raceTools.map(({ name }) => name).join(",")} (all of them when left out)
  --runs N          of each tool, in turn (3)
  --json FILE       write the figures
  --markdown FILE   write the table (it is printed anyway)
  --svg FILE        draw how many hosts were complete at what time
  --record          put table and drawing into README.md and docs/, where they have a place for this race
  --directory DIR   where payload and copies stand (${tmpdir()})
  --timeout TIME    give a run up after so long (${defaultRaceTimeoutMilliseconds / 60_000}m)
  --profile DIR     have our programs write profiles of their processor time (.cpuprofile, as browsers read them)
  --keep-logs       leave what the programs printed

Needs Linux, root and iproute2. scripts/install-race-tools.sh installs the other tools.
`;
const signals = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
/** Of each tool. */
const maximumRuns = 100;

process.exitCode = await main();

interface Flags {
  readonly race: string;
  readonly tools: ReturnType<typeof toolsNamed>;
  readonly runs: number;
  readonly json: string | undefined;
  readonly markdown: string | undefined;
  readonly svg: string | undefined;
  readonly record: boolean;
  readonly directory: string;
  readonly timeoutMilliseconds: number;
  readonly profile: string | undefined;
  readonly keepLogs: boolean;
}

async function main(): Promise<number> {
  let flags: Flags | undefined;
  try {
    flags = readFlags();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const hint = error instanceof UserError && error.hint !== undefined ? ` (${error.hint})` : "";
    process.stderr.write(`race: ${printable(error.message)}${hint}\n`);
    return 2;
  }
  if (flags === undefined) {
    process.stdout.write(usage);
    return 0;
  }
  return race(flags);
}

/** undefined: help is wanted. */
function readFlags(): Flags | undefined {
  const text = { type: "string" } as const;
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      ...{
        tools: text,
        runs: text,
        json: text,
        markdown: text,
        svg: text,
        directory: text,
        timeout: text,
        profile: text,
      },
      record: { type: "boolean" },
      "keep-logs": { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return undefined;
  const [race, ...more] = positionals;
  if (race === undefined || more.length > 0) throw new UserError("give one race (npm run race -- --help)");
  const runs = Number(values.runs ?? 3);
  if (!Number.isInteger(runs) || runs < 1 || runs > maximumRuns) {
    throw new UserError(`--runs takes a whole number of 1 to ${maximumRuns}`);
  }
  for (const file of [values.json, values.markdown, values.svg]) {
    if (file !== undefined && !existsSync(dirname(file))) throw new UserError(`there is no directory for ${file}`);
  }
  return {
    race,
    tools: toolsNamed(values.tools),
    runs,
    json: values.json,
    markdown: values.markdown,
    svg: values.svg,
    record: values.record ?? false,
    directory: values.directory ?? tmpdir(),
    timeoutMilliseconds:
      values.timeout === undefined
        ? defaultRaceTimeoutMilliseconds
        : Math.max(1, parseDurationNanoseconds(values.timeout) / nanosecondsPerMillisecond),
    profile: values.profile,
    keepLogs: values["keep-logs"] ?? false,
  };
}

/** @returns the exit code: 1 when a run failed */
async function race(flags: Flags): Promise<number> {
  const stop = new AbortController();
  let interrupted: number | undefined;
  for (const [signal, code] of Object.entries(signals)) {
    process.on(signal, () => {
      interrupted ??= code;
      stop.abort(new UserError("interrupted"));
    });
  }
  let directory: string | undefined;
  let logsAreWanted = flags.keepLogs;
  try {
    const parsed = loadRace(flags.race);
    checkLabIsPossible();
    mkdirSync(flags.directory, { recursive: true });
    directory = mkdtempSync(join(flags.directory, "sluice-race-"));
    const report = await runRace({
      race: parsed,
      tools: flags.tools,
      runs: flags.runs,
      directory,
      labName: `race-${process.pid}`,
      timeoutMilliseconds: flags.timeoutMilliseconds,
      profileDirectory: flags.profile === undefined ? undefined : resolve(flags.profile),
      signal: stop.signal,
      say: (line) => process.stderr.write(`- ${printable(line)}\n`),
    });
    write(flags, report);
    const failed = report.tools.some(({ runs }) => runs.some(hasFailed));
    logsAreWanted ||= failed;
    return failed ? 1 : 0;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const hint = error.hint === undefined ? "" : ` (${error.hint})`;
    process.stderr.write(`race: ${printable(error.message)}${hint}\n`);
    return interrupted ?? 1;
  } finally {
    if (directory !== undefined) cleanUp(directory, logsAreWanted);
  }
}

function write({ json, markdown, svg, record }: Flags, report: RaceReport): void {
  const table = raceMarkdown(report);
  process.stdout.write(table);
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`);
  if (markdown !== undefined) writeFileSync(markdown, table);
  if (svg !== undefined) writeFileSync(svg, raceSvg(report));
  if (record) process.stderr.write(`wrote ${recordRace(report).join(", ")}\n`);
}

function cleanUp(directory: string, keepLogs: boolean): void {
  if (!keepLogs) {
    rmSync(directory, { recursive: true, force: true });
    return;
  }
  rmSync(join(directory, "payload"), { recursive: true, force: true });
  process.stderr.write(`the logs are in ${join(directory, "logs")}\n`);
}
