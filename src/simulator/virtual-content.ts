/**
 * A published file set as the simulated world knows it: its manifest, written by the production code with checksums that
 * are made up (fake-hash.ts), and, where it grows, how much of it there is at which time.
 */
import { checksumLengthBytes } from "../model/checksum.ts";
import { ManifestBuilder } from "../model/manifest-builder.ts";
import type { Manifest } from "../model/manifest.ts";
import { manifestPieceBytesFor, ManifestSummarizer } from "../model/manifest-root.ts";
import { manifestPieceBytes } from "../model/limits.ts";
import { toHex } from "../std/hex.ts";
import { transmissionNanoseconds } from "../std/units.ts";
import { fakeAlgorithm, fakeBlockBytes, fakeBlockChecksum, fakeHash, type FakeBlock } from "./fake-hash.ts";
import type { ScenarioFileSet } from "./scenario.ts";

const fileMode = 0o644;

export class VirtualContent {
  readonly spec: ScenarioFileSet;
  /** NAME@VERSION. */
  readonly key: string;
  readonly algorithm = fakeAlgorithm;
  readonly pieceBytes: number;
  /** Blocks of the whole file set, once it has stopped growing. */
  readonly finalBlockCount: number;
  /** Blocks by checksum and length, as far as they have been asked for. */
  readonly #byChecksum = new Map<string, number>();
  #indexed = 0;
  readonly #builder = new ManifestBuilder(fakeAlgorithm);
  readonly #summarizer: ManifestSummarizer;
  #bytes: Uint8Array = new Uint8Array(0);
  #root = "";
  #file = 0;
  #blockOfFile = 0;

  constructor(spec: ScenarioFileSet) {
    this.spec = spec;
    this.key = `${spec.name}@${spec.version}`;
    let blocks = 0;
    for (let file = 0; file < spec.fileCount; file += 1) blocks += Math.ceil(this.fileBytes(file) / spec.blockBytes);
    this.finalBlockCount = blocks;
    if (spec.growthBitsPerSecond === undefined) {
      this.#writeStatic();
      this.pieceBytes = manifestPieceBytesFor(this.#builder.toBytes().length);
    } else {
      this.#beginFile();
      this.pieceBytes = manifestPieceBytes;
    }
    this.#summarizer = new ManifestSummarizer(fakeHash, fakeAlgorithm, this.pieceBytes);
  }

  /** What there is of it so far. */
  get manifest(): Manifest {
    return this.#builder.manifest;
  }

  /** The whole manifest so far: the same object until it grows. */
  get manifestLog(): Uint8Array {
    if (this.#bytes.length !== this.manifest.logBytes) this.#bytes = this.#builder.toBytes();
    return this.#bytes;
  }

  get isComplete(): boolean {
    return this.manifest.isComplete;
  }

  fileBytes(file: number): number {
    const { totalBytes, fileCount } = this.spec;
    return Math.floor(totalBytes / fileCount) + (file < totalBytes % fileCount ? 1 : 0);
  }

  /** What has been written of the manifest since the last call. */
  takePart(): Uint8Array {
    const bytes = this.#builder.takeAppended();
    this.#summarizer.append(bytes);
    this.#root = this.#summarizer.summary().root;
    return bytes;
  }

  /** Of the manifest up to and with the last part that was taken. */
  get root(): string {
    return this.#root;
  }

  /** When, after the file set's start, the block that comes next (or the end, if none does) is there. */
  nextGrowthNanoseconds(): number {
    const produced = this.manifest.totalBytes + this.#nextBlockBytes();
    return transmissionNanoseconds(produced, this.spec.growthBitsPerSecond ?? 1);
  }

  /** Adds the next block; after the last one, ends the file set. */
  grow(): void {
    const lengthBytes = this.#nextBlockBytes();
    if (lengthBytes > 0) {
      const isFinal = this.#blockOfFile === Math.ceil(this.fileBytes(this.#file) / this.spec.blockBytes) - 1;
      this.#builder.addGrownBlock({
        lengthBytes,
        checksum: this.#checksum(this.manifest.blockCount, lengthBytes),
        final: isFinal,
      });
      this.#blockOfFile += 1;
      if (!isFinal) return;
    }
    this.#builder.endGrowingFile({ modifiedMilliseconds: 0 });
    this.#file += 1;
    this.#blockOfFile = 0;
    if (this.#file < this.spec.fileCount) this.#beginFile();
    else this.#builder.end();
  }

  /** What stands in a block; `isWrong`: as a corrupt disk would have it. */
  blockBytes(block: number, isWrong: boolean): Uint8Array {
    return fakeBlockBytes(this.#fakeBlock(block, this.manifest.blockLengthBytes(block)), isWrong);
  }

  /** The first block with this checksum and length. */
  blockLike(checksum: Uint8Array, lengthBytes: number): number | undefined {
    for (; this.#indexed < this.manifest.blockCount; this.#indexed += 1) {
      const name = nameOf(this.manifest.blockChecksum(this.#indexed), this.manifest.blockLengthBytes(this.#indexed));
      if (!this.#byChecksum.has(name)) this.#byChecksum.set(name, this.#indexed);
    }
    return this.#byChecksum.get(nameOf(checksum, lengthBytes));
  }

  #nextBlockBytes(): number {
    return Math.min(this.spec.blockBytes, this.fileBytes(this.#file) - this.#blockOfFile * this.spec.blockBytes);
  }

  #beginFile(): void {
    this.#builder.beginGrowingFile({
      path: this.#path(this.#file),
      mode: fileMode,
      modifiedMilliseconds: 0,
      version: 1,
      blockBytes: this.spec.blockBytes,
    });
  }

  #writeStatic(): void {
    let block = 0;
    for (let file = 0; file < this.spec.fileCount; file += 1) {
      const lengthBytes = this.fileBytes(file);
      const count = Math.ceil(lengthBytes / this.spec.blockBytes);
      const checksums = new Uint8Array(count * checksumLengthBytes);
      for (let index = 0; index < count; index += 1) {
        const blockBytes = Math.min(this.spec.blockBytes, lengthBytes - index * this.spec.blockBytes);
        checksums.set(this.#checksum(block, blockBytes), index * checksumLengthBytes);
        block += 1;
      }
      this.#builder.addFile({
        path: this.#path(file),
        mode: fileMode,
        modifiedMilliseconds: 0,
        version: 1,
        blockBytes: this.spec.blockBytes,
        lengthBytes,
        checksums,
      });
    }
    this.#builder.end();
  }

  #checksum(block: number, lengthBytes: number): Uint8Array {
    return fakeBlockChecksum(this.#fakeBlock(block, lengthBytes));
  }

  #fakeBlock(block: number, lengthBytes: number): FakeBlock {
    const number = block % (this.spec.distinctBlocks ?? this.finalBlockCount);
    return { text: this.spec.content ?? this.key, number, lengthBytes };
  }

  #path(file: number): string {
    return this.spec.fileCount === 1 ? "data" : `data/${String(file)}`;
  }
}

function nameOf(checksum: Uint8Array, lengthBytes: number): string {
  return `${toHex(checksum)} ${String(lengthBytes)}`;
}
