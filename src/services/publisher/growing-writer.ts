/**
 * Turns a growing source into a growing manifest: cuts it into blocks by size and time, and writes each block down as
 * soon as its checksum is known.
 *
 * It promises: records in the order of the file; the final flag on the last block (see GrowingCutter); bytes of a stream
 * that no agent has made durable are bounded, beyond that the source is read no further.
 */
import { monotonicNanoseconds } from "../../platform/clock.ts";
import { hash } from "../../platform/hashing.ts";
import { ManifestBuilder } from "../../model/manifest-builder.ts";
import { ManifestSummarizer, pieceCount, type ManifestSummary } from "../../model/manifest-root.ts";
import { manifestPieceBytes } from "../../model/limits.ts";
import type { ChecksumAlgorithm } from "../../model/checksum.ts";
import { UserError } from "../../std/errors.ts";
import { nanosecondsPerMillisecond } from "../../std/units.ts";
import { GrowingCutter } from "../../control/publisher/growing-cutter.ts";
import type { PublisherEvent } from "../../control/publisher/publisher-events.ts";
import type { RetainedBlocks } from "../../control/publisher/retained-blocks.ts";
import type { GrownBlock, GrowingSource } from "./growing-source.ts";
import { unacknowledgedBytes } from "./limits.ts";
import { PublishError } from "./publish-error.ts";

export interface GrowingWriterOptions {
  readonly source: GrowingSource;
  readonly algorithm: ChecksumAlgorithm;
  /** Of the file, in the file set. */
  readonly path: string;
  readonly mode: number;
  readonly version: number;
  /** Where the bytes of a stream are kept. */
  readonly retained: RetainedBlocks;
  /** When the file was last written, whole milliseconds since 1970: asked at its begin and at its end. */
  readonly modifiedMilliseconds: () => number;
  readonly cutter?: GrowingCutter;
  readonly onManifest: (event: Extract<PublisherEvent, { type: "manifest" }>) => void;
  /** All of it is written down. */
  readonly onEnded: () => void;
  readonly onProblem: (error: UserError) => void;
}

export class GrowingWriter {
  readonly builder: ManifestBuilder;
  readonly #options: GrowingWriterOptions;
  readonly #cutter: GrowingCutter;
  readonly #summarizer: ManifestSummarizer;
  /** Blocks that are being hashed, in order. */
  #queue: Promise<void> = Promise.resolve();
  #hashingBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #isPaused = false;
  #isStopped = false;

  constructor(options: GrowingWriterOptions) {
    this.#options = options;
    this.#cutter = options.cutter ?? new GrowingCutter();
    this.builder = new ManifestBuilder(options.algorithm);
    this.#summarizer = new ManifestSummarizer(hash, options.algorithm, manifestPieceBytes);
  }

  get summary(): ManifestSummary {
    return this.#summarizer.summary();
  }

  start(): void {
    const { path, mode, version, source, onProblem } = this.#options;
    const modifiedMilliseconds = this.#options.modifiedMilliseconds();
    const { blockBytes } = this.#cutter;
    this.builder.beginGrowingFile({ path, mode, version, modifiedMilliseconds, blockBytes });
    this.#tell();
    source.start({
      onGrowth: (lengthBytes) => this.#cut(this.#cutter.add(lengthBytes, monotonicNanoseconds())),
      onEnd: () => this.#ended(),
      onProblem: (error) => {
        this.stop();
        onProblem(error);
      },
    });
  }

  /** Memory may have been let go: reads on if there is room. */
  relieve(): void {
    const { retained, source } = this.#options;
    const used = this.#cutter.pendingBytes + this.#hashingBytes + retained.bytes;
    const isPaused = used >= unacknowledgedBytes;
    if (isPaused === this.#isPaused) return;
    this.#isPaused = isPaused;
    source.setPaused(isPaused);
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#options.source.close();
  }

  #cut(lengths: readonly number[]): void {
    for (const lengthBytes of lengths) this.#add(lengthBytes, false);
    this.relieve();
    clearTimeout(this.#timer);
    const wakeAt = this.#cutter.wakeAtNanoseconds;
    if (wakeAt === undefined || this.#isStopped) return;
    const delay = Math.ceil((wakeAt - monotonicNanoseconds()) / nanosecondsPerMillisecond);
    this.#timer = setTimeout(() => this.#cut(this.#cutter.tick(monotonicNanoseconds())), Math.max(0, delay));
  }

  #add(lengthBytes: number, final: boolean): void {
    this.#hashingBytes += lengthBytes;
    const coming = this.#options.source.next(lengthBytes);
    // It is awaited in its turn, which may come after it has failed.
    coming.catch(() => undefined);
    this.#queue = this.#queue.then(async () => {
      if (!this.#isStopped) this.#written(lengthBytes, await coming, final);
    });
    this.#queue.catch((error: unknown) => this.#failed(error));
  }

  #written(lengthBytes: number, { checksum, bytes }: GrownBlock, final: boolean): void {
    this.#hashingBytes -= lengthBytes;
    const { manifest } = this.builder;
    this.builder.addGrownBlock({ lengthBytes, checksum, final });
    const block = manifest.blockCount - 1;
    if (bytes !== undefined && manifest.duplicateOf(block) < 0) this.#options.retained.add(block, bytes);
    this.#tell();
    this.relieve();
  }

  #ended(): void {
    clearTimeout(this.#timer);
    const lastBytes = this.#cutter.end();
    if (lastBytes !== undefined) this.#add(lastBytes, true);
    this.#queue = this.#queue.then(() => {
      if (this.#isStopped) return;
      this.builder.endGrowingFile({ modifiedMilliseconds: this.#options.modifiedMilliseconds() });
      this.builder.end();
      this.#tell();
      this.#options.onEnded();
    });
    this.#queue.catch((error: unknown) => this.#failed(error));
  }

  #tell(): void {
    const bytes = this.builder.takeAppended();
    this.#summarizer.append(bytes);
    const summary = this.#summarizer.summary();
    this.#options.onManifest({
      type: "manifest",
      bytes,
      root: summary.root,
      blockCount: this.builder.manifest.blockCount,
      pieceCount: pieceCount(summary),
    });
  }

  #failed(error: unknown): void {
    if (this.#isStopped) return;
    this.stop();
    const message = error instanceof Error ? error.message : String(error);
    const cause = { cause: error };
    this.#options.onProblem(error instanceof UserError ? error : new PublishError("failed", message, cause));
  }
}
