/**
 * Publishes standard input or a file that is being written, while it grows (claim 29): agents get blocks before the end
 * is known.
 */
import { basename } from "node:path";
import { statSync } from "node:fs";
import { checkTreePath } from "../../model/tree-path.ts";
import { manifestPieceBytes } from "../../model/limits.ts";
import { summarizeManifest } from "../../model/manifest-root.ts";
import { RangeSet } from "../../std/ranges.ts";
import { UserError } from "../../std/errors.ts";
import { nanosecondsPerMillisecond } from "../../std/units.ts";
import { filesByPath, firstDifference } from "../../control/publisher/content-plan.ts";
import { PublisherCore } from "../../control/publisher/publisher-core.ts";
import { RetainedBlocks } from "../../control/publisher/retained-blocks.ts";
import { monotonicNanoseconds } from "../../platform/clock.ts";
import { hash } from "../../platform/hashing.ts";
import { AgentHandOver } from "./agent-hand-over.ts";
import { FileBlockSource, RetainedBlockSource, type BlockSource, type SourceFile } from "./block-source.ts";
import type { BaseManifest } from "./controller-api.ts";
import { isExistingContent } from "./existing-version.ts";
import { fileToFollow, FollowSource, StreamSource, type GrowingSource } from "./growing-source.ts";
import { GrowingWriter } from "./growing-writer.ts";
import { growingFlushMilliseconds } from "./limits.ts";
import {
  algorithmAfter,
  checkOutcome,
  conflictError,
  pieceBytesOf,
  requestOf,
  type PublishContext,
  type PublishResult,
  type PublishSource,
} from "./publish-options.ts";
import { PublishSession } from "./publish-session.ts";

const streamMode = 0o644;
const permissionBits = 0o777;

/** What grows, as this file's parts need it. */
interface Growing {
  readonly source: GrowingSource;
  /** Its path in the file set. */
  readonly path: string;
  readonly mode: number;
  readonly modifiedMilliseconds: () => number;
  /** Where it is read again; undefined: it cannot be. */
  readonly file: SourceFile | undefined;
}

/** @throws UserError */
export async function publishGrowing(
  context: PublishContext,
  wanted: Exclude<PublishSource, { kind: "tree" }>,
): Promise<PublishResult> {
  const { options, api } = context;
  const file = wanted.kind === "follow" ? fileToFollow(wanted.path) : undefined;
  const path = checkFileName(wanted.fileName ?? basename(wanted.kind === "follow" ? wanted.path : ""));
  const base = await api.baseManifest(options.name, options.version);
  const growing = growingOf(context, wanted, file, path, base);
  try {
    return base?.isSame === true
      ? await publishExisting(context, growing, base)
      : await new GrowingPublish(context, growing, base).run();
  } finally {
    growing.source.close();
  }
}

function growingOf(
  { thread }: PublishContext,
  wanted: Exclude<PublishSource, { kind: "tree" }>,
  file: SourceFile | undefined,
  path: string,
  base: BaseManifest | undefined,
): Growing {
  const algorithm = algorithmAfter(base);
  if (wanted.kind === "stream" || file === undefined) {
    if (wanted.kind !== "stream") throw new RangeError("a followed file was not looked at");
    const source = new StreamSource(wanted.stream, thread, algorithm);
    return { source, path, mode: streamMode, modifiedMilliseconds: () => Date.now(), file: undefined };
  }
  const modifiedMilliseconds = (): number =>
    Math.floor(statSync(file.source, { throwIfNoEntry: false })?.mtimeMs ?? file.stamp.mtimeMs);
  const source = new FollowSource(file, thread, algorithm, wanted.end);
  return { source, path, mode: file.stamp.mode & permissionBits, modifiedMilliseconds, file };
}

function checkFileName(name: string): string {
  checkTreePath(name);
  if (name.includes("/")) {
    throw new UserError(`${JSON.stringify(name)} is not the name of a file: it must be one name without a slash`);
  }
  return name;
}

/** The version is there: reads to the end, or to the first difference. */
async function publishExisting(
  context: PublishContext,
  { source, path, mode }: Growing,
  { bytes, manifest }: BaseManifest,
): Promise<PublishResult> {
  const { options } = context;
  const existing = filesByPath(manifest).get(path);
  const lengthBytes = existing?.lengthBytes ?? 0;
  const difference = firstDifference(
    [{ kind: "file", path, mode: existing?.mode ?? mode, modifiedMilliseconds: 0, lengthBytes }],
    manifest,
  );
  if (existing === undefined || difference !== undefined) throw conflictError(options, difference ?? path);
  if (!(await isExistingContent(source, manifest, existing))) throw conflictError(options, path);
  const { algorithm } = manifest;
  const summary = summarizeManifest(hash, algorithm, bytes, pieceBytesOf(manifest, bytes.length));
  return {
    fileSet: `${options.name}@${options.version}`,
    outcome: "already",
    root: summary.root,
    files: manifest.files.length,
    blocks: manifest.blockCount,
    bytes: manifest.totalBytes,
    hashedSeconds: 0,
    handOverStartedAtMilliseconds: undefined,
    committedAtMilliseconds: Date.now(),
    onlyTimesDiffer: false,
  };
}

/** One publish of something that grows, from its first byte to its commit. */
class GrowingPublish {
  readonly #context: PublishContext;
  readonly #growing: Growing;
  readonly #retained = new RetainedBlocks();
  readonly #core: PublisherCore;
  readonly #writer: GrowingWriter;
  readonly #session: PublishSession;
  readonly #fileSet: string;
  #handOver: AgentHandOver | undefined;
  #problem: UserError | undefined;
  #startedAt: number | undefined;
  #doneBytes = 0;
  #isEnded = false;

  constructor(context: PublishContext, growing: Growing, base: BaseManifest | undefined) {
    const { options } = context;
    this.#context = context;
    this.#growing = growing;
    this.#fileSet = `${options.name}@${options.version}`;
    const algorithm = algorithmAfter(base);
    const { source, path, mode, modifiedMilliseconds } = growing;
    const before = filesByPath(base?.manifest).get(path);
    this.#writer = new GrowingWriter({
      source,
      algorithm,
      path,
      mode,
      modifiedMilliseconds,
      version: (before?.version ?? 0) + 1,
      retained: this.#retained,
      onManifest: (event) => this.#session.tell(event),
      onEnded: () => {
        this.#isEnded = true;
      },
      onProblem: (error) => this.#fail(error),
    });
    const request = requestOf(options, { growing: true, algorithm, pieceBytes: manifestPieceBytes });
    this.#core = new PublisherCore(request, monotonicNanoseconds(), {
      patienceNanoseconds: options.patienceMilliseconds * nanosecondsPerMillisecond,
      isReadOnce: growing.file === undefined,
    });
    this.#session = new PublishSession({
      url: options.url,
      core: this.#core,
      makeHandOver: (tell) => {
        this.#handOver = this.#makeHandOver(request.publishId, tell);
        return this.#handOver;
      },
      onHeld: (ranges) => {
        this.#retained.held(RangeSet.fromFlat([...ranges]), monotonicNanoseconds());
        this.#writer.relieve();
      },
      onConnection: (problem) => {
        if (problem !== undefined) options.onProgress?.({ stage: "connecting", problem });
      },
      signal: options.signal,
    });
  }

  async run(): Promise<PublishResult> {
    const { options } = this.#context;
    const flushes = setInterval(() => {
      this.#retained.expire(monotonicNanoseconds());
      this.#writer.relieve();
      if (!this.#isEnded) void this.#handOver?.flushNow();
    }, growingFlushMilliseconds);
    try {
      this.#writer.start();
      const outcome = await this.#session.run();
      if (this.#problem !== undefined) throw this.#problem;
      const { manifest } = this.#writer.builder;
      return {
        fileSet: this.#fileSet,
        outcome: checkOutcome(outcome, options),
        root: this.#writer.summary.root,
        files: manifest.files.length,
        blocks: manifest.blockCount,
        bytes: manifest.totalBytes,
        hashedSeconds: 0,
        handOverStartedAtMilliseconds: this.#startedAt,
        committedAtMilliseconds: Date.now(),
        onlyTimesDiffer: false,
      };
    } finally {
      clearInterval(flushes);
      this.#writer.stop();
    }
  }

  #makeHandOver(publishId: string, tell: ConstructorParameters<typeof AgentHandOver>[0]["tell"]): AgentHandOver {
    const { onProgress } = this.#context.options;
    return new AgentHandOver({
      publishId,
      fileSet: this.#fileSet,
      manifest: this.#writer.builder.manifest,
      manifestPiece: (index) => this.#core.manifestPiece(index),
      source: this.#blockSource(),
      tell,
      onStarted: () => {
        this.#startedAt ??= Date.now();
      },
      onAccepted: (bytes) => {
        this.#doneBytes += bytes;
        const totalBytes = this.#isEnded ? this.#writer.builder.manifest.totalBytes : undefined;
        onProgress?.({ stage: "handingOver", doneBytes: this.#doneBytes, totalBytes });
      },
      onDurable: (blocks) => {
        this.#retained.durable(blocks);
        this.#writer.relieve();
      },
    });
  }

  #blockSource(): BlockSource {
    const { file } = this.#growing;
    const { manifest } = this.#writer.builder;
    if (file === undefined) return new RetainedBlockSource(manifest, this.#retained);
    return new FileBlockSource({
      manifest,
      thread: this.#context.thread,
      fileAt: () => file,
      growing: true,
      onChanged: (error) => this.#fail(error),
    });
  }

  #fail(error: UserError): void {
    this.#problem ??= error;
    this.#session.tell({ type: "stopped", reason: error.message });
  }
}
