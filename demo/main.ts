/**
 * npm run demo [-- --keep]: a controller and nine agents in three sites on this machine, a real directory published to
 * all of them, everything compared, and the figures. It promises to leave nothing behind: no process and no file, but
 * the logs when something went wrong, and all of it with --keep.
 */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { printable } from "#src/platform/printable.ts";
import { UserError } from "#src/std/errors.ts";
import { formatBytes } from "#src/std/units.ts";
import { distribute, fileSetName } from "./distribute.ts";
import type { Distributed } from "./distribute.ts";
import { Programs } from "./programs.ts";

const usage = `npm run demo [-- --keep]

  --keep  leave the controller and the agents running, and say how to look at them
`;

/** The directory is published to nine agents, and stands there once more. */
const neededDiskBytes = 5 * 1024 * 1024 * 1024;
const signals = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

process.exitCode = await main();

async function main(): Promise<number> {
  let keep: boolean;
  try {
    const { values } = parseArgs({ options: { keep: { type: "boolean" }, help: { type: "boolean", short: "h" } } });
    if (values.help) {
      process.stdout.write(usage);
      return 0;
    }
    keep = values.keep ?? false;
  } catch (error) {
    process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n${usage}`);
    return 2;
  }
  return run(keep);
}

/** @returns the exit code */
async function run(keep: boolean): Promise<number> {
  let directory: string;
  try {
    directory = mkdtempSync(join(tmpdir(), "sluice-demo-"));
  } catch (error) {
    process.stderr.write(`demo: cannot make a directory: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
  return runIn(directory, keep);
}

/** @returns the exit code */
async function runIn(directory: string, keep: boolean): Promise<number> {
  const programs = new Programs(join(directory, "logs"));
  const interruption = new AbortController();
  let interrupted: keyof typeof signals | undefined;
  for (const signal of Object.keys(signals) as (keyof typeof signals)[]) {
    process.on(signal, () => {
      interrupted ??= signal;
      interruption.abort(new UserError("interrupted"));
    });
  }
  // Whoever read our output has seen enough.
  process.stdout.on("error", () => {
    interrupted ??= "SIGHUP";
    interruption.abort(new UserError("interrupted"));
  });
  process.on("exit", () => programs.killAll());
  let failed = true;
  try {
    await checkDisk(directory);
    const distributed = await distribute(programs, directory, interruption.signal);
    process.stdout.write(`\n${distributed.summary}`);
    failed = false;
    if (keep) {
      programs.letGo();
      process.stdout.write(howToGoOn(distributed, directory));
      return 0;
    }
    return 0;
  } catch (error) {
    if (interrupted !== undefined) {
      process.stderr.write("demo: interrupted\n");
      return signals[interrupted];
    }
    reportFailure(error, programs);
    return 1;
  } finally {
    if (failed || !keep) {
      if (!failed) process.stdout.write("\n- stopping and removing all of it\n");
      await programs.stopAll();
      removeAll(directory, failed && interrupted === undefined);
    }
  }
}

async function checkDisk(directory: string): Promise<void> {
  const { bavail, bsize } = await statfs(directory);
  if (bavail * bsize >= neededDiskBytes) return;
  throw new UserError(
    `${directory} has ${formatBytes(bavail * bsize)} free, ${formatBytes(neededDiskBytes)} are needed`,
    {
      hint: "name another place for temporary files with TMPDIR",
    },
  );
}

function reportFailure(error: unknown, programs: Programs): void {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`demo: ${printable(message)}\n`);
  if (error instanceof UserError && error.hint !== undefined) process.stderr.write(`${error.hint}\n`);
  else if (!(error instanceof UserError) && error instanceof Error) process.stderr.write(`${error.stack ?? ""}\n`);
  process.stderr.write(`what each program printed is in ${programs.logDirectory}\n`);
}

/** Removes what was made, all but the logs if they are to stay. */
function removeAll(directory: string, keepLogs: boolean): void {
  const names = keepLogs ? readdirSync(directory).filter((name) => name !== "logs") : [""];
  for (const name of names) rmSync(join(directory, name), { recursive: true, force: true, maxRetries: 3 });
}

function howToGoOn({ fleet }: Distributed, directory: string): string {
  const processIds = fleet.programs.map(({ processId }) => processId);
  const [agent] = fleet.agents;
  return `
Everything goes on running. To look at it:
  export SLUICE_CONTROLLER=${fleet.url}
  bin/sluice status --watch
  bin/sluice agent ls
  bin/sluice resource ls
  bin/sluice fileset show ${fileSetName}
  ls -l ${join(agent?.dataDirectory ?? "", "filesets", fileSetName, "current")}/
  tail ${join(directory, "logs")}/*.log

To publish another version, and to go back:
  bin/sluice publish src --fileset ${fileSetName} --version 2 --site fra --wait
  bin/sluice fileset activate ${fileSetName} 1

To stop it and remove all of it:
  kill ${processIds.join(" ")}; sleep 3
  rm -rf ${directory}
`;
}
