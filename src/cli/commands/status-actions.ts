/** What `sluice status` does. */
import { setTimeout as pause } from "node:timers/promises";
import type { StatusView, VersionSummary } from "../../protocol/views.ts";
import { UserError } from "../../std/errors.ts";
import { printable } from "../../platform/printable.ts";
import type { ControllerClient } from "../controller-client.ts";
import { connectController } from "../controller-options.ts";
import type { ControllerOptions } from "../controller-options.ts";
import { exitCodes } from "../exit-codes.ts";
import { formatDate, print } from "../output.ts";
import { formatFields, formatTable } from "../table.ts";
import { versionColumns, versionShare, versionState } from "./fileset-actions.ts";
import { resourceColumns } from "./resource-actions.ts";
import type { StatusOptions } from "./status.ts";

export async function showStatus(options: ControllerOptions): Promise<void> {
  const status = await (await connectController(options)).status();
  print(options.json, status, () => describeStatus(status));
}

/**
 * Shows the status until it is interrupted: a live screen on a terminal, a line for each change elsewhere. A controller
 * that goes away later is waited for; only the first look must succeed.
 */
export async function watchStatus(options: StatusOptions): Promise<void> {
  const client = await connectController(options);
  const first = await client.status();
  if (!options.json && process.stdout.isTTY) {
    await watchOnTerminal(client, options);
    return;
  }
  const show = options.json ? jsonWatcher() : plainWatcher();
  show(first);
  for (;;) {
    await pause(options.interval);
    try {
      show(await client.status());
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      show(error.message);
    }
  }
}

type Show = (status: StatusView | string) => void;

async function watchOnTerminal(client: ControllerClient, { controller, interval }: StatusOptions): Promise<void> {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());
  const { watchFleet } = await import("../live/watch-fleet.ts");
  await watchFleet({
    client,
    url: controller.replace(/\/+$/, ""),
    intervalMilliseconds: interval,
    out: process.stdout,
    signal: stop.signal,
  });
  process.exitCode = exitCodes.interrupted;
}

function jsonWatcher(): Show {
  return (status) => {
    process.stdout.write(`${JSON.stringify(typeof status === "string" ? { error: { message: status } } : status)}\n`);
  };
}

/** One line for each version that has changed since the last look. */
function plainWatcher(): Show {
  const shown = new Map<string, string>();
  return (status) => {
    const now = formatDate(Date.now());
    const lines: (readonly [string, string])[] =
      typeof status === "string"
        ? [["", status]]
        : [
            ["", `${status.agents.online} of ${status.agents.known} agents online`],
            ...status.fileSets.map((version) => [version.fileSet, describeProgress(version)] as const),
          ];
    for (const [name, text] of lines) {
      if (shown.get(name) === text) continue;
      shown.set(name, text);
      process.stdout.write(`${now} ${printable(text)}\n`);
    }
  };
}

function describeProgress(version: VersionSummary): string {
  const { fileSet, counts } = version;
  return `${fileSet} ${versionState(version)}: ${versionShare(version)}, held by ${counts.held} of ${counts.targets}`;
}

function describeStatus(status: StatusView): string {
  const { agents, sites, lanes, term, busiest, outOfUse } = status;
  const fields = formatFields([
    ["agents", `${agents.online} of ${agents.known} online`],
    ["sites", sites.map(({ site, online, known }) => `${site} ${online}/${known}`).join("  ") || "none"],
    ["transfers", `${lanes} lanes`],
    ["controller", `term ${term}`],
  ]);
  const parts = [fields, formatTable(versionColumns, status.fileSets, "no file sets")];
  if (busiest.length > 0) parts.push(formatTable(resourceColumns, busiest, ""));
  if (outOfUse.length > 0) parts.push(`out of use:\n${formatTable(resourceColumns, outOfUse, "")}`);
  return parts.join("\n");
}
