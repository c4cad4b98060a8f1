/**
 * npm run bench:load: many agents on one controller. The controller, the publisher and the origin are the real programs;
 * the agents are the real state machine and channel in one process, around a data plane that only pretends.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { UserError } from "#src/std/errors.ts";
import { formatBytes } from "#src/std/units.ts";
import { runLoad } from "./load/run-load.ts";
import type { LoadFigures, LoadOptions } from "./load/run-load.ts";

const usage = `npm run bench:load [-- options]

  --agents <count>              connections to one controller (5000)
  --transfers-a-second <count>  of all agents together (10000)
  --seconds <count>             how long is measured (30)
  --warm-up <count>             seconds of transfers before that (15)
  --no-restart                  leave out killing the controller and starting it again
  --profile <directory>         write profiles of the controller's processor time there
  --json <file>                 write all figures there
`;

// The default of these signals would leave running what was started.
for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => process.exit(1));
process.exitCode = await main();

async function main(): Promise<number> {
  let options: LoadOptions;
  let json: string | undefined;
  try {
    const { values } = parseArgs({
      options: {
        agents: { type: "string", default: "5000" },
        "transfers-a-second": { type: "string", default: "10000" },
        seconds: { type: "string", default: "30" },
        "warm-up": { type: "string", default: "15" },
        "no-restart": { type: "boolean", default: false },
        profile: { type: "string" },
        json: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.help) {
      process.stdout.write(usage);
      return 0;
    }
    json = values.json;
    options = {
      agents: count(values.agents),
      transfersPerSecond: count(values["transfers-a-second"]),
      seconds: count(values.seconds),
      warmUpSeconds: count(values["warm-up"]),
      restart: !values["no-restart"],
      profileDirectory: values.profile,
      say: (line) => void process.stdout.write(`${line}\n`),
    };
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
    return 2;
  }
  return inDirectory(options, json);
}

function count(text: string): number {
  if (!/^[1-9][0-9]{0,5}$/.test(text)) throw new UserError(`${text} is not a count`);
  return Number(text);
}

async function inDirectory(options: LoadOptions, json: string | undefined): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), "sluice-load-"));
  try {
    const figures = await runLoad(directory, options);
    process.stdout.write(`\n${textOf(figures)}`);
    if (json !== undefined) writeFileSync(json, `${JSON.stringify(figures, null, 2)}\n`);
    return figures.violations.length > 0 || figures.missedHeartbeats > 0 ? 1 : 0;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 1;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function textOf(figures: LoadFigures): string {
  const { instructions, messagesPerSecond, reconnection } = figures;
  const microseconds = (cores: number): string => ((1e6 * cores) / figures.transfersPerSecond).toFixed(0);
  const lines = [
    `transfers a second         ${Math.round(figures.transfersPerSecond)}`,
    `messages a second          ${Math.round(messagesPerSecond.toController)} to, ${Math.round(messagesPerSecond.fromController)} from the controller`,
    `report to instruction, ms  median ${instructions.medianMilliseconds.toFixed(1)}, p99 ${instructions.p99Milliseconds.toFixed(1)}, most ${instructions.mostMilliseconds.toFixed(1)}; within 50: ${(100 * instructions.within50MillisecondsShare).toFixed(2)} %`,
    `missed heartbeats          ${figures.missedHeartbeats}; longest silence of an agent ${Math.round(figures.longestSilenceMilliseconds)} ms`,
    `cores                      controller ${figures.controllerCores.toFixed(2)}, generator ${figures.generatorCores.toFixed(2)} (late by up to ${figures.generatorLatestMilliseconds.toFixed(1)} ms)`,
    `processor a transfer, us   controller ${microseconds(figures.controllerCores)}, generator ${microseconds(figures.generatorCores)}`,
    `controller's memory        ${formatBytes(figures.controllerPeakBytes)} at most`,
    `hold everything            ${figures.holdEverything} of ${figures.agents}; ${figures.refusedTickets} tickets refused, ${figures.blocksTwice} blocks came twice`,
  ];
  if (reconnection !== undefined) {
    lines.push(
      `after a kill               listening after ${reconnection.controllerBackSeconds.toFixed(1)} s; half of all back after ${reconnection.medianSeconds.toFixed(1)} s, all after ${reconnection.allBackSeconds.toFixed(1)} s`,
      `                           at most ${reconnection.mostWithinTenth} in 0.1 s, ${reconnection.mostWithinSecond} in 1 s; ${reconnection.failedDials} dials in vain, ${reconnection.lostAgain} lost again`,
    );
  }
  for (const violation of figures.violations.slice(0, 10)) lines.push(`violation: ${violation}`);
  return `${lines.join("\n")}\n`;
}
