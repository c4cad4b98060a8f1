/**
 * The demonstration itself, step by step: a fleet, a directory, `sluice publish`, the picture of it, the proof, the
 * figures.
 */
import { readlinkSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Manifest } from "#src/model/manifest.ts";
import { UserError } from "#src/std/errors.ts";
import { Display } from "./display.ts";
import { publisherSite, sites, startFleet, topology } from "./fleet.ts";
import type { Fleet } from "./fleet.ts";
import { makePayload } from "./payload.ts";
import { lastLineOf, repositoryRoot } from "./programs.ts";
import type { Program, Programs } from "./programs.ts";
import { summarize } from "./summary.ts";
import { differences, readTree } from "./trees.ts";
import type { Tree } from "./trees.ts";

export const fileSetName = "packages";
const version = "1";
/** Several times what it takes, also where others use the machine too. */
const publishTimeout = "4m";
const currentTimeoutMilliseconds = 15_000;

export interface Distributed {
  readonly fleet: Fleet;
  /** For people, with the line ends. */
  readonly summary: string;
}

/** Everything up to the summary. @throws UserError when something is not as it must be */
export async function distribute(programs: Programs, directory: string, signal: AbortSignal): Promise<Distributed> {
  say("making a directory of the installed packages");
  const payload = join(directory, "payload");
  await makePayload(join(repositoryRoot, "node_modules"), payload, signal);
  const expected = await readTree(payload, signal);

  say(`starting a controller and nine agents in ${sites.join(", ")}`);
  const fleet = await startFleet(programs, directory, signal);

  const words = ["--fileset", fileSetName, "--version", version, "--site", publisherSite, "--to", "all", "--wait"];
  say(`sluice publish ${payload} ${words.join(" ")}`);
  const startedAt = Date.now();
  const publish = programs.sluice("publish", [
    ...["publish", payload, "--controller", fleet.url, "--timeout", publishTimeout],
    ...words,
  ]);
  await watch(fleet, programs, publish, startedAt, signal);
  const endedAt = Date.now();

  say("comparing every file on every agent with the original");
  const verifiedFiles = await verify(fleet, expected, signal);
  const detail = await fleet.client.fileSet(fileSetName, version);
  const summary = summarize({
    version: detail,
    manifest: await fetchManifest(fleet),
    resources: await fleet.client.resources(),
    topology,
    sites,
    publisherSite,
    publishSeconds: (endedAt - startedAt) / 1000,
    distributionSeconds: (endedAt - detail.createdAtMilliseconds) / 1000,
    verifiedFiles,
  });
  return { fleet, summary };
}

function say(text: string): void {
  console.log(`- ${text}`);
}

/** Shows progress until the publisher has ended and `current` is set everywhere. @throws UserError when it fails */
async function watch(
  fleet: Fleet,
  programs: Programs,
  publish: Program,
  startedAt: number,
  signal: AbortSignal,
): Promise<void> {
  const display = new Display(sites);
  const look = async () => ({
    fileSet: `${fileSetName}@${version}`,
    seconds: (Date.now() - startedAt) / 1000,
    agents: await fleet.client.agents(),
    resources: await fleet.client.resources(),
  });
  try {
    while (publish.end === undefined) {
      signal.throwIfAborted();
      programs.check(fleet.programs);
      display.show(await look());
      await Promise.race([publish.ended, pause(display.intervalMilliseconds)]);
    }
    const exitCode = await publish.ended;
    if (exitCode !== 0) throw new UserError(`publishing failed (exit code ${exitCode}): ${lastLineOf(publish)}`);
    for (const giveUpAt = performance.now() + currentTimeoutMilliseconds; !isCurrent(fleet);) {
      signal.throwIfAborted();
      if (performance.now() > giveUpAt) throw new UserError("not every agent has made the new version current");
      await pause(20);
    }
    display.done(await look());
  } catch (error) {
    display.abandon();
    throw error;
  }
}

function isCurrent({ agents }: Fleet): boolean {
  return agents.every(({ dataDirectory }) => {
    try {
      return readlinkSync(join(dataDirectory, "filesets", fileSetName, "current")) === version;
    } catch {
      return false;
    }
  });
}

/** Reads everything on every agent again. @returns how many files there were @throws UserError where one differs */
async function verify({ agents }: Fleet, expected: Tree, signal: AbortSignal): Promise<number> {
  let files = 0;
  for (const { name, dataDirectory } of agents) {
    const tree = await readTree(join(dataDirectory, "filesets", fileSetName, version), signal);
    const [first, ...others] = differences(tree, expected);
    if (first !== undefined) throw new UserError(`${name} differs in ${others.length + 1} entries, first: ${first}`);
    files += [...tree.values()].filter((line) => line.startsWith("file")).length;
  }
  return files;
}

async function fetchManifest({ url }: Fleet): Promise<Manifest> {
  const response = await fetch(`${url}/v1/filesets/${fileSetName}/versions/${version}/manifest`);
  if (!response.ok) throw new UserError(`the controller gave no manifest (status ${response.status})`);
  return Manifest.decode(new Uint8Array(await response.arrayBuffer()));
}
