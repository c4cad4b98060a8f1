/**
 * What a tree becomes as a manifest, beside the version that was published before it.
 *
 * It promises: the same tree and predecessor always give the same bytes; a file's version rises exactly when its content
 * differs from the predecessor's file of the same path; a file keeps the predecessor's block size, so that blocks which
 * stayed the same are found to be so.
 */
import { equalBytes } from "../../std/bytes.ts";
import { chooseBlockBytes } from "../../model/block-size.ts";
import type { ChecksumAlgorithm } from "../../model/checksum.ts";
import { checksumLengthBytes } from "../../model/checksum.ts";
import { ManifestBuilder } from "../../model/manifest-builder.ts";
import type { FileEntry, Manifest } from "../../model/manifest.ts";

export type TreeEntry =
  | {
      readonly kind: "directory";
      readonly path: string;
      readonly mode: number;
      readonly modifiedMilliseconds: number;
    }
  | { readonly kind: "link"; readonly path: string; readonly target: string }
  | TreeFile;

export interface TreeFile {
  readonly kind: "file";
  readonly path: string;
  readonly mode: number;
  readonly modifiedMilliseconds: number;
  readonly lengthBytes: number;
}

/** The files of a manifest by their paths; none when there is no manifest. */
export function filesByPath(manifest: Manifest | undefined): ReadonlyMap<string, FileEntry> {
  return new Map(manifest?.files.map((file) => [file.path, file]));
}

/** The block size for a file that comes after `predecessor` (undefined: it is new). */
export function blockBytesAfter(lengthBytes: number, predecessor: FileEntry | undefined): number {
  return chooseBlockBytes(lengthBytes, predecessor?.blockBytes);
}

/**
 * Writes the whole manifest of a tree.
 * @param entries in order of their paths, each folder before what is in it
 * @param checksumsOf of a file's blocks, cut as `blockBytesAfter` says
 * @param predecessor the version published before, if there is one
 * @throws UserError when the tree cannot be a file set
 */
export function buildManifest(
  algorithm: ChecksumAlgorithm,
  entries: readonly TreeEntry[],
  checksumsOf: (path: string) => Uint8Array,
  predecessor: Manifest | undefined,
): ManifestBuilder {
  const builder = new ManifestBuilder(algorithm);
  const earlier = filesByPath(predecessor);
  for (const entry of entries) {
    if (entry.kind === "directory") builder.addDirectory(entry);
    else if (entry.kind === "link") builder.addLink(entry);
    else {
      const before = earlier.get(entry.path);
      const { path, mode, modifiedMilliseconds, lengthBytes } = entry;
      const checksums = checksumsOf(path);
      const isSame =
        predecessor?.algorithm === algorithm &&
        before !== undefined &&
        !before.growing &&
        before.lengthBytes === lengthBytes &&
        equalBytes(checksums, fileChecksums(predecessor, before));
      const version = before === undefined ? 1 : before.version + (isSame ? 0 : 1);
      const blockBytes = blockBytesAfter(lengthBytes, before);
      builder.addFile({ path, mode, modifiedMilliseconds, version, blockBytes, lengthBytes, checksums });
    }
  }
  builder.end();
  return builder;
}

/** The checksums of a file's blocks, one after another. */
export function fileChecksums(manifest: Manifest, file: FileEntry): Uint8Array {
  const checksums = new Uint8Array(file.blockCount * checksumLengthBytes);
  for (let index = 0; index < file.blockCount; index += 1) {
    checksums.set(manifest.blockChecksum(file.firstBlock + index), index * checksumLengthBytes);
  }
  return checksums;
}

/** The lengths of a file's blocks. */
export function fileBlockLengths(manifest: Manifest, file: FileEntry): number[] {
  return Array.from({ length: file.blockCount }, (_, index) => manifest.blockLengthBytes(file.firstBlock + index));
}

/**
 * Whether a tree is what a whole manifest says, apart from the contents of its files and from modification times:
 * undefined, or the first path where they differ.
 */
export function firstDifference(entries: readonly TreeEntry[], manifest: Manifest): string | undefined {
  const directories = new Map(manifest.directories.map((directory) => [directory.path, directory]));
  const links = new Map(manifest.links.map((link) => [link.path, link]));
  const files = filesByPath(manifest);
  const seen = new Set<string>();
  for (const entry of entries) {
    seen.add(entry.path);
    if (entry.kind === "directory") {
      if (directories.get(entry.path)?.mode !== entry.mode) return entry.path;
    } else if (entry.kind === "link") {
      if (links.get(entry.path)?.target !== entry.target) return entry.path;
    } else {
      const file = files.get(entry.path);
      if (file === undefined || file.mode !== entry.mode || file.lengthBytes !== entry.lengthBytes) return entry.path;
    }
  }
  for (const list of [manifest.directories, manifest.links, manifest.files]) {
    for (const { path } of list) if (!seen.has(path)) return path;
  }
  return undefined;
}

/** Whether any modification time of a tree differs from what the manifest says. */
export function timesDiffer(entries: readonly TreeEntry[], manifest: Manifest): boolean {
  const times = new Map<string, number>();
  for (const { path, modifiedMilliseconds } of [...manifest.directories, ...manifest.files]) {
    times.set(path, modifiedMilliseconds);
  }
  return entries.some((entry) => entry.kind !== "link" && times.get(entry.path) !== entry.modifiedMilliseconds);
}
