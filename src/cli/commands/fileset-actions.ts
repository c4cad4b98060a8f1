/** What the `sluice fileset` commands do. */
import { formatBytes } from "../../std/units.ts";
import { checkFileSetName, checkVersion } from "../../model/names.ts";
import { UserError } from "../../std/errors.ts";
import type { VersionDetail, VersionSummary } from "../../protocol/views.ts";
import { asUsage } from "../as-usage.ts";
import { connectController } from "../controller-options.ts";
import type { ControllerOptions } from "../controller-options.ts";
import type { ControllerClient } from "../controller-client.ts";
import { exitCodes } from "../exit-codes.ts";
import { formatDate, formatShare, print, targetsText } from "../output.ts";
import { formatFields, formatTable } from "../table.ts";
import type { Column } from "../table.ts";
import type { ActivateOptions, RemoveOptions, ShowOptions } from "./fileset.ts";

/** The columns that every list of versions has. */
export const versionColumns: readonly Column<VersionSummary>[] = [
  { title: "FILE SET", cell: ({ name }) => name },
  { title: "VERSION", cell: ({ version }) => version },
  { title: "STATE", cell: versionState },
  { title: "FILES", align: "right", cell: ({ files }) => String(files) },
  { title: "SIZE", align: "right", cell: ({ totalBytes }) => formatBytes(totalBytes) },
  { title: "HELD BY", align: "right", cell: ({ counts }) => `${counts.held}/${counts.targets}` },
  { title: "DONE", align: "right", cell: versionShare },
];

export async function listFileSets(name: string | undefined, options: ControllerOptions): Promise<void> {
  if (name !== undefined) checkNames(name);
  const client = await connectController(options);
  const versions = name === undefined ? await client.fileSets() : await client.versionsOf(name);
  const columns: Column<VersionSummary>[] = [
    ...versionColumns,
    { title: "PRIORITY", align: "right", cell: ({ priority }) => String(priority) },
    { title: "TO", cell: ({ selector }) => selector },
    { title: "PUBLISHED (UTC)", cell: ({ createdAtMilliseconds }) => formatDate(createdAtMilliseconds) },
  ];
  print(options.json, versions, () => formatTable(columns, versions, "no file sets"));
}

export async function showFileSet(name: string, version: string | undefined, options: ShowOptions): Promise<void> {
  checkNames(name, version);
  const client = await connectController(options);
  const detail = await client.fileSet(name, version ?? (await shownVersion(client, name)));
  print(options.json, detail, () => describeVersion(detail, options.files ?? false));
}

export async function removeFileSet(name: string, version: string, options: RemoveOptions): Promise<void> {
  checkNames(name, version);
  const client = await connectController(options);
  const { fileSet, agents } = options.dryRun
    ? removalOf(await client.fileSet(name, version))
    : await client.remove(name, version, options.force ?? false);
  const view = { fileSet, agents, ...(options.dryRun ? { dryRun: true } : {}) };
  print(options.json, view, () => {
    const verb = options.dryRun ? "would delete" : "deletes";
    const lines = agents.map(
      ({ agent, online, heldBytes }) =>
        `${agent} ${verb} ${formatBytes(heldBytes)}${online ? "" : " (offline: when it is back)"}\n`,
    );
    const head = options.dryRun ? `${fileSet} would be removed` : `${fileSet} is removed`;
    return `${head}${agents.length === 0 ? ": no agent holds anything of it" : ""}\n${lines.join("")}`;
  });
}

export async function activateFileSet(name: string, version: string, options: ActivateOptions): Promise<void> {
  checkNames(name, version);
  if (options.timeout !== undefined && !options.wait) {
    throw new UserError("--timeout goes with --wait", { exitCode: exitCodes.usage });
  }
  const view = await (await connectController(options)).activate(name, version);
  if (!options.wait) {
    print(options.json, view, () => `${view.done}\n`);
    return;
  }
  const { waitUntilTargetsHold } = await import("../wait-for-fleet.ts");
  const targets = await waitUntilTargetsHold({
    url: options.controller,
    name,
    version,
    timeoutMilliseconds: options.timeout,
  });
  print(options.json, { ...view, ...targets }, () => `${view.done}; ${targetsText(targets.targets)}\n`);
}

export async function setFileSetPaused(
  name: string,
  version: string | undefined,
  paused: boolean,
  options: ControllerOptions,
): Promise<void> {
  checkNames(name, version);
  const view = await (await connectController(options)).setPaused(name, version, paused);
  print(options.json, view, () => `${view.done}\n`);
}

/** `active`, `published`, `publishing`, and what else there is to say. */
export function versionState(version: VersionSummary): string {
  const words: string[] = [version.state === "published" && version.active ? "active" : version.state];
  if (version.growing) words.push("growing");
  if (version.paused) words.push("paused");
  if (version.counts.stalled > 0) words.push(`${version.counts.stalled} stalled`);
  return words.join(", ");
}

/** How much of what all targets should hold they hold. */
export function versionShare({ counts, heldBytes, totalBytes }: VersionSummary): string {
  if (counts.targets > 0 && counts.held === counts.targets) return "100 %";
  return formatShare(heldBytes, counts.targets * totalBytes);
}

/** What cannot be a name is a wrong use, told before anybody is asked. */
function checkNames(name: string, version?: string): void {
  asUsage(() => {
    checkFileSetName(name);
    if (version !== undefined) checkVersion(version);
  });
}

async function shownVersion(client: ControllerClient, name: string): Promise<string> {
  const versions = await client.versionsOf(name);
  const newest = [...versions].sort((left, right) => right.sequence - left.sequence)[0];
  const shown = versions.find(({ active }) => active) ?? newest;
  if (shown === undefined) throw new UserError(`there is no file set ${name}`);
  return shown.version;
}

function removalOf({ fileSet, agents }: VersionDetail) {
  const holders = agents.filter(({ heldBytes }) => heldBytes > 0);
  return { fileSet, agents: holders.map(({ agent, online, heldBytes }) => ({ agent, online, heldBytes })) };
}

function describeVersion(detail: VersionDetail, withFiles: boolean): string {
  const { counts, fileList, fileListCut } = detail;
  const fields = formatFields([
    ["file set", detail.fileSet],
    ["state", versionState(detail)],
    ["content", `${detail.files} files, ${formatBytes(detail.totalBytes)} in ${detail.blocks} blocks`],
    ["root", detail.root],
    [
      "targets",
      `${detail.selector} (${counts.targets} agents, ${counts.offline} offline), priority ${detail.priority}`,
    ],
    ["done", `${versionShare(detail)}, held by ${counts.held} of ${counts.targets}`],
    ["published", `${formatDate(detail.createdAtMilliseconds)} UTC`],
  ]);
  const agents = formatTable<VersionDetail["agents"][number]>(
    [
      { title: "AGENT", cell: ({ agent }) => agent },
      { title: "SITE", cell: ({ site }) => site },
      { title: "STATUS", cell: (agent) => `${agent.status}${agent.online ? "" : ", offline"}` },
      { title: "HELD", align: "right", cell: ({ heldBytes }) => formatShare(heldBytes, detail.totalBytes) },
      { title: "CURRENT", cell: ({ current }) => (current ? "yes" : "") },
      { title: "NOTE", cell: ({ target, problem }) => problem ?? (target ? "" : "no target") },
    ],
    detail.agents,
    "no agents",
  );
  if (!withFiles) return `${fields}\n${agents}`;
  const files = formatTable<VersionDetail["fileList"][number]>(
    [
      { title: "FILE VERSION", align: "right", cell: ({ version }) => String(version) },
      { title: "SIZE", align: "right", cell: ({ lengthBytes }) => formatBytes(lengthBytes) },
      { title: "PATH", cell: ({ path, growing }) => (growing ? `${path} (growing)` : path) },
    ],
    fileList,
    "no files",
  );
  const cut = fileListCut ? `the first ${fileList.length} of ${detail.files} files\n` : "";
  return `${fields}\n${agents}\n${files}${cut}`;
}
