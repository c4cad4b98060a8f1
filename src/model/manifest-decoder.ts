/**
 * From the bytes of a manifest to its entries, with every check.
 *
 * One file at a time is open: after its FILE record only its own blocks may follow until it has ended. The first mistake
 * breaks the decoder for good, so nobody goes on with half of a record taken in.
 */
import { UserError } from "../std/errors.ts";
import type { BlockTable } from "./block-table.ts";
import type { ChecksumAlgorithm } from "./checksum.ts";
import { checksumLengthBytes } from "./checksum.ts";
import { maximumBlockBytes, maximumBlocks, maximumChecksumsPerRecord, maximumMode } from "./limits.ts";
import type { DirectoryEntry, FileEntry, GrownBlocks, LinkEntry, MutableFileEntry } from "./manifest-entries.ts";
import { ManifestLog, recordTypes } from "./manifest-format.ts";
import type { FileRecord } from "./manifest-records.ts";
import { readDirectory, readEnd, readFile, readFileEnd, readGrownBlock, readLink } from "./manifest-records.ts";
import { TreeNames } from "./tree-names.ts";
import { checkLinkTarget, linkDependsOnOthers, linkStaysInside } from "./tree-path.ts";

const notALink = (): undefined => undefined;

export class ManifestDecoder {
  readonly directories: DirectoryEntry[] = [];
  readonly links: LinkEntry[] = [];
  totalBytes = 0;
  isComplete = false;
  readonly #files: MutableFileEntry[] = [];
  readonly #log = new ManifestLog();
  readonly #names = new TreeNames();
  /** Links that can be judged only when all links are known. */
  readonly #dependentLinks: LinkEntry[] = [];
  readonly #blocks: BlockTable;
  readonly #grown: GrownBlocks;
  #failure: UserError | undefined = undefined;
  /** The file whose blocks are still to come. */
  #open: MutableFileEntry | undefined = undefined;

  constructor(blocks: BlockTable, grown: GrownBlocks) {
    this.#blocks = blocks;
    this.#grown = grown;
  }

  get files(): readonly FileEntry[] {
    return this.#files;
  }

  get algorithm(): ChecksumAlgorithm | undefined {
    return this.#log.algorithm;
  }

  get logBytes(): number {
    return this.#log.lengthBytes;
  }

  get pendingBytes(): number {
    return this.#log.pendingBytes;
  }

  append(bytes: Uint8Array): void {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      this.#log.append(bytes, (type, payload) => {
        this.#takeRecord(type, payload);
      });
      if (this.isComplete && this.#log.pendingBytes > 0) fail("something follows the end");
    } catch (error) {
      this.#failure = this.#explain(error);
      throw this.#failure;
    }
  }

  #explain(error: unknown): UserError {
    // What is said about the header needs no place.
    if (error instanceof UserError && this.#log.algorithm === undefined) return error;
    if (!(error instanceof UserError) && !(error instanceof RangeError)) throw error;
    const place = `byte ${String(this.#log.recordPosition)}`;
    return new UserError(`the manifest is not valid at ${place}: ${error.message}`, { cause: error });
  }

  #takeRecord(type: number, payload: Uint8Array): void {
    if (this.isComplete) fail("something follows the end");
    switch (type) {
      case recordTypes.directory:
        this.#takeDirectory(payload);
        break;
      case recordTypes.link:
        this.#takeLink(payload);
        break;
      case recordTypes.file:
        this.#takeFile(readFile(payload));
        break;
      case recordTypes.blocks:
        this.#takeBlocks(payload);
        break;
      case recordTypes.grownBlock:
        this.#takeGrownBlock(payload);
        break;
      case recordTypes.fileEnd:
        this.#takeFileEnd(payload);
        break;
      case recordTypes.end:
        this.#takeEnd(payload);
        break;
      default:
        // A later minor version's; it says nothing that this one needs.
        break;
    }
  }

  #takeDirectory(payload: Uint8Array): void {
    this.#requireNoOpenFile();
    const record = readDirectory(payload);
    this.#names.take(record.path, "directory");
    checkMode(record.path, record.mode);
    this.directories.push(record);
  }

  #takeLink(payload: Uint8Array): void {
    this.#requireNoOpenFile();
    const link = readLink(payload);
    this.#names.take(link.path, "link");
    checkLinkTarget(link.path, link.target);
    if (linkDependsOnOthers(link.target) && !link.target.startsWith("/")) this.#dependentLinks.push(link);
    else if (!linkStaysInside(link.path, link.target, notALink)) failForLink(link);
    this.links.push(link);
  }

  #takeFile(record: FileRecord): void {
    this.#requireNoOpenFile();
    this.#names.take(record.path, "file");
    checkMode(record.path, record.mode);
    const name = JSON.stringify(record.path);
    if (record.version < 1) fail(`${name} has version 0`);
    if (record.blockBytes < 1 || record.blockBytes > maximumBlockBytes) {
      fail(`${name} has a block size of ${String(record.blockBytes)} bytes`);
    }
    if (record.growing && record.lengthBytes !== 0) fail(`${name} grows and has a length`);
    const expectedBlocks = Math.ceil(record.lengthBytes / record.blockBytes);
    if (this.#blocks.count + expectedBlocks > maximumBlocks) failForBlocks();
    const file: MutableFileEntry = {
      index: this.#files.length,
      ...record,
      ended: !record.growing && expectedBlocks === 0,
      finalBlockSeen: false,
      firstBlock: this.#blocks.count,
      blockCount: 0,
      startBytes: this.totalBytes,
    };
    this.#addToTotal(record.lengthBytes);
    this.#files.push(file);
    this.#open = file.ended ? undefined : file;
  }

  #takeBlocks(payload: Uint8Array): void {
    const file = this.#open;
    if (file === undefined || file.growing) return fail("blocks belong to no file");
    const count = payload.length / checksumLengthBytes;
    if (!Number.isInteger(count) || count < 1 || count > maximumChecksumsPerRecord) {
      return fail(`${String(payload.length)} bytes are not a list of checksums`);
    }
    const expectedBlocks = Math.ceil(file.lengthBytes / file.blockBytes);
    if (file.blockCount + count > expectedBlocks) fail(`${JSON.stringify(file.path)} has too many blocks`);
    this.#blocks.append(payload);
    file.blockCount += count;
    if (file.blockCount < expectedBlocks) return;
    file.ended = true;
    this.#open = undefined;
  }

  #takeGrownBlock(payload: Uint8Array): void {
    const file = this.#open;
    if (file === undefined || !file.growing) return fail("a block belongs to no growing file");
    const { lengthBytes, checksum, final } = readGrownBlock(payload);
    if (file.finalBlockSeen) fail(`a block follows the final one of ${JSON.stringify(file.path)}`);
    if (lengthBytes < 1 || lengthBytes > maximumBlockBytes) fail(`a block is ${String(lengthBytes)} bytes long`);
    if (this.#blocks.count >= maximumBlocks) failForBlocks();
    this.#addToTotal(lengthBytes);
    this.#grown.append(file, lengthBytes);
    this.#blocks.append(checksum);
    file.lengthBytes += lengthBytes;
    file.blockCount += 1;
    file.finalBlockSeen = final;
  }

  #takeFileEnd(payload: Uint8Array): void {
    const file = this.#open;
    if (file === undefined || !file.growing) return fail("the end of a file belongs to no growing file");
    file.modifiedMilliseconds = readFileEnd(payload).modifiedMilliseconds;
    file.ended = true;
    this.#open = undefined;
  }

  #takeEnd(payload: Uint8Array): void {
    this.#requireNoOpenFile();
    const { fileCount, blockCount } = readEnd(payload);
    if (fileCount !== this.#files.length || blockCount !== this.#blocks.count) {
      fail("its end counts other files or blocks than there are");
    }
    this.#checkDependentLinks();
    this.isComplete = true;
    this.#names.clear();
  }

  #checkDependentLinks(): void {
    if (this.#dependentLinks.length === 0) return;
    const targets = new Map(this.links.map((link) => [link.path, link.target]));
    for (const link of this.#dependentLinks) {
      if (!linkStaysInside(link.path, link.target, (path) => targets.get(path))) failForLink(link);
    }
  }

  #requireNoOpenFile(): void {
    if (this.#open !== undefined) fail(`${JSON.stringify(this.#open.path)} has not ended yet`);
  }

  #addToTotal(lengthBytes: number): void {
    this.totalBytes += lengthBytes;
    if (!Number.isSafeInteger(this.totalBytes)) fail("its files are too long in all");
  }
}

function checkMode(path: string, mode: number): void {
  if (mode > maximumMode) fail(`${JSON.stringify(path)} has the mode ${mode.toString(8)}, beyond 777`);
}

function failForBlocks(): never {
  fail(`there are more than ${String(maximumBlocks)} blocks`);
}

function failForLink(link: LinkEntry): never {
  fail(`the link ${JSON.stringify(link.path)} to ${JSON.stringify(link.target)} leads out of the file set`);
}

function fail(message: string): never {
  throw new UserError(message);
}
