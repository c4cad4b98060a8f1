/**
 * Writes a manifest down, record by record.
 *
 * The same calls always give the same bytes. Every record is decoded as it is written, so what a builder gives out every
 * reader accepts. After a call that threw, a builder is not to be used any more.
 */
import { ByteWriter } from "../std/bytes.ts";
import { UserError } from "../std/errors.ts";
import type { ChecksumAlgorithm } from "./checksum.ts";
import { checksumLengthBytes } from "./checksum.ts";
import { maximumChecksumsPerRecord } from "./limits.ts";
import { manifestHeader } from "./manifest-format.ts";
import type { DirectoryRecord, FileEndRecord, FileRecord, GrownBlockRecord, LinkRecord } from "./manifest-records.ts";
import {
  writeBlocks,
  writeDirectory,
  writeEnd,
  writeFile,
  writeFileEnd,
  writeGrownBlock,
  writeLink,
} from "./manifest-records.ts";
import { Manifest } from "./manifest.ts";

/** A file that is written down as a whole; `checksums`: of all its blocks, one after another. */
export interface StaticFile extends Omit<FileRecord, "growing"> {
  readonly checksums: Uint8Array;
}

/** A file that blocks will be added to. */
export type GrowingFile = Omit<FileRecord, "growing" | "lengthBytes">;

/** Methods throw UserError where the manifest would not be valid, RangeError for numbers that are no integers in range. */
export class ManifestBuilder {
  /** What has been written so far, decoded. */
  readonly manifest = new Manifest();
  readonly #log = new ByteWriter();
  #takenBytes = 0;

  constructor(algorithm: ChecksumAlgorithm) {
    this.#write(manifestHeader(algorithm));
  }

  addDirectory(directory: DirectoryRecord): void {
    this.#write(writeDirectory(directory));
  }

  addLink(link: LinkRecord): void {
    this.#write(writeLink(link));
  }

  addFile(file: StaticFile): void {
    const { checksums } = file;
    const expectedBytes = Math.ceil(file.lengthBytes / file.blockBytes) * checksumLengthBytes;
    if (checksums.length !== expectedBytes) {
      throw new UserError(`${JSON.stringify(file.path)} has not as many checksums as blocks`);
    }
    this.#write(writeFile({ ...file, growing: false }));
    const recordBytes = maximumChecksumsPerRecord * checksumLengthBytes;
    for (let start = 0; start < checksums.length; start += recordBytes) {
      this.#write(writeBlocks(checksums.subarray(start, start + recordBytes)));
    }
  }

  /** Until `endGrowingFile`, only blocks of this file can be added. */
  beginGrowingFile(file: GrowingFile): void {
    this.#write(writeFile({ ...file, growing: true, lengthBytes: 0 }));
  }

  addGrownBlock(block: GrownBlockRecord): void {
    if (block.checksum.length !== checksumLengthBytes) throw new RangeError("a checksum has 32 bytes");
    this.#write(writeGrownBlock(block));
  }

  endGrowingFile(end: FileEndRecord): void {
    this.#write(writeFileEnd(end));
  }

  /** Ends the file set: nothing can be added from here on. */
  end(): void {
    this.#write(writeEnd({ fileCount: this.manifest.files.length, blockCount: this.manifest.blockCount }));
  }

  /** All bytes written so far, the header included. */
  toBytes(): Uint8Array {
    return this.#log.toBytes();
  }

  /** The bytes written since the last call. */
  takeAppended(): Uint8Array {
    const appended = this.#log.toBytes(this.#takenBytes);
    this.#takenBytes = this.#log.length;
    return appended;
  }

  #write(record: Uint8Array): void {
    this.manifest.append(record);
    this.#log.bytes(record);
  }
}
