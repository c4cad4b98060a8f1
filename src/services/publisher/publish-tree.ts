/** Publishes a file or folder that is complete: scan, checksums, manifest, hand-over. */
import { pieceCount, summarizeManifest } from "../../model/manifest-root.ts";
import type { Manifest } from "../../model/manifest.ts";
import { nanosecondsPerMillisecond } from "../../std/units.ts";
import { blockBytesAfter, buildManifest, filesByPath, timesDiffer } from "../../control/publisher/content-plan.ts";
import { PublisherCore } from "../../control/publisher/publisher-core.ts";
import type { PublisherEvent } from "../../control/publisher/publisher-events.ts";
import { monotonicNanoseconds } from "../../platform/clock.ts";
import { hash } from "../../platform/hashing.ts";
import { AgentHandOver } from "./agent-hand-over.ts";
import { FileBlockSource } from "./block-source.ts";
import type { BaseManifest } from "./controller-api.ts";
import { differenceFrom } from "./existing-version.ts";
import { hashTree } from "./hash-tree.ts";
import {
  algorithmAfter,
  checkOutcome,
  conflictError,
  pieceBytesOf,
  requestOf,
  type PublishContext,
  type PublishResult,
} from "./publish-options.ts";
import type { PublishError } from "./publish-error.ts";
import { PublishSession } from "./publish-session.ts";
import { scanTree, type Scan } from "./scan.ts";

/** @throws UserError */
export async function publishTree(context: PublishContext, path: string): Promise<PublishResult> {
  const { options, api } = context;
  const startedAt = performance.now();
  options.onProgress?.({ stage: "scanning" });
  const scan = await scanTree(path, options.signal);
  const base = await api.baseManifest(options.name, options.version);
  const content =
    base?.isSame === true ? await existingContent(context, scan, base) : await newContent(context, scan, base);
  const hashedSeconds = (performance.now() - startedAt) / 1000;
  const files = new Map(scan.files.map((file) => [file.path, file]));
  const fileAt = (filePath: string) => {
    const file = files.get(filePath);
    if (file === undefined) throw new RangeError(`${filePath} was not scanned`);
    return file;
  };
  const published = await handOverTree(context, content, fileAt);
  return {
    ...published,
    hashedSeconds,
    onlyTimesDiffer: base?.isSame === true && timesDiffer(scan.entries, base.manifest),
  };
}

interface Content {
  readonly bytes: Uint8Array;
  readonly manifest: Manifest;
}

/** The version is there: what is published must be the same, and is then told by the manifest that is there. */
async function existingContent(context: PublishContext, scan: Scan, base: BaseManifest): Promise<Content> {
  const { options, pool, thread } = context;
  const difference = await differenceFrom(scan, base.manifest, {
    pool,
    thread,
    signal: options.signal,
    onProgress: hashingProgress(context, scan),
  });
  if (difference !== undefined) throw conflictError(options, difference);
  return base;
}

async function newContent(context: PublishContext, scan: Scan, base: BaseManifest | undefined): Promise<Content> {
  const earlier = filesByPath(base?.manifest);
  const algorithm = algorithmAfter(base);
  const checksums = await hashTree(context.pool, scan.files, {
    algorithm,
    blockBytesOf: (file) => blockBytesAfter(file.lengthBytes, earlier.get(file.path)),
    onProgress: hashingProgress(context, scan),
    signal: context.options.signal,
  });
  const checksumsOf = (path: string): Uint8Array => {
    const found = checksums.get(path);
    if (found === undefined) throw new RangeError(`${path} was not hashed`);
    return found;
  };
  const builder = buildManifest(algorithm, scan.entries, checksumsOf, base?.manifest);
  return { bytes: builder.toBytes(), manifest: builder.manifest };
}

async function handOverTree(
  context: PublishContext,
  { bytes, manifest }: Content,
  fileAt: ConstructorParameters<typeof FileBlockSource>[0]["fileAt"],
): Promise<Omit<PublishResult, "hashedSeconds" | "onlyTimesDiffer">> {
  const { options, thread } = context;
  const { algorithm } = manifest;
  const pieceBytes = pieceBytesOf(manifest, bytes.length);
  const summary = summarizeManifest(hash, algorithm, bytes, pieceBytes);
  const request = requestOf(options, { growing: false, algorithm, pieceBytes });
  const core = new PublisherCore(request, monotonicNanoseconds(), {
    patienceNanoseconds: options.patienceMilliseconds * nanosecondsPerMillisecond,
  });
  let changed: PublishError | undefined;
  let startedAt: number | undefined;
  let doneBytes = 0;
  const totalBytes = manifest.totalBytes - manifest.bytesInRanges(manifest.duplicates());
  const fileSet = `${options.name}@${options.version}`;
  const makeHandOver = (tell: (event: PublisherEvent) => void): AgentHandOver =>
    new AgentHandOver({
      publishId: request.publishId,
      fileSet,
      manifest,
      manifestPiece: (index) => core.manifestPiece(index),
      source: new FileBlockSource({
        manifest,
        thread,
        fileAt,
        growing: false,
        onChanged: (error) => {
          changed ??= error;
          tell({ type: "stopped", reason: error.message });
        },
      }),
      tell,
      onAccepted: (acceptedBytes) => {
        doneBytes += acceptedBytes;
        options.onProgress?.({ stage: "handingOver", doneBytes: Math.min(doneBytes, totalBytes), totalBytes });
      },
      onStarted: () => {
        startedAt ??= Date.now();
      },
    });
  const session = new PublishSession({
    url: options.url,
    core,
    makeHandOver,
    onHeld: () => undefined,
    onConnection: (problem) => {
      if (problem !== undefined) options.onProgress?.({ stage: "connecting", problem });
    },
    signal: options.signal,
  });
  const { blockCount } = manifest;
  session.tell({ type: "manifest", bytes, root: summary.root, blockCount, pieceCount: pieceCount(summary) });
  const outcome = await session.run();
  if (changed !== undefined) throw changed;
  return {
    fileSet,
    outcome: checkOutcome(outcome, options),
    root: summary.root,
    files: manifest.files.length,
    blocks: blockCount,
    bytes: manifest.totalBytes,
    handOverStartedAtMilliseconds: startedAt,
    committedAtMilliseconds: Date.now(),
  };
}

function hashingProgress({ options }: PublishContext, scan: Scan): (bytes: number) => void {
  let doneBytes = 0;
  return (bytes) => {
    doneBytes += bytes;
    options.onProgress?.({ stage: "hashing", doneBytes, totalBytes: scan.totalBytes });
  };
}
