/** Random file sets and a stand-in for hashing, for tests. */
import { createHash } from "node:crypto";
import fc from "fast-check";
import type { Hash } from "./checksum.ts";
import { checksumLengthBytes } from "./checksum.ts";
import { ManifestBuilder } from "./manifest-builder.ts";

/** Both algorithms as SHA-256: tests need no speed. */
export const testHash: Hash = (_algorithm, bytes) => new Uint8Array(createHash("sha256").update(bytes).digest());

/** The checksum of a block whose content is named by a number. */
export function testChecksum(content: number): Uint8Array {
  return testHash("sha256", Uint8Array.of(content));
}

export interface TestFile {
  readonly growing: boolean;
  readonly blockBytes: number;
  /** Of the blocks: a number that names the content, and the length. */
  readonly blocks: readonly { readonly content: number; readonly lengthBytes: number }[];
  readonly final: boolean;
}

/** Files of few and small blocks, with repeated contents. */
export const testFiles: fc.Arbitrary<TestFile[]> = fc.array(
  fc
    .record({
      growing: fc.boolean(),
      blockBytes: fc.integer({ min: 1, max: 20 }),
      blocks: fc.array(fc.record({ content: fc.nat(4), lengthBytes: fc.integer({ min: 1, max: 20 }) }), {
        maxLength: 5,
      }),
      final: fc.boolean(),
    })
    .map((file) => ({
      ...file,
      blocks: file.blocks.map((block, index) => ({
        content: block.content,
        lengthBytes: file.growing
          ? block.lengthBytes
          : index < file.blocks.length - 1
            ? file.blockBytes
            : Math.min(block.lengthBytes, file.blockBytes),
      })),
    })),
  { maxLength: 6 },
);

/** A manifest of these files, named f0, f1, ... */
export function buildTestManifest(files: readonly TestFile[], ended: boolean = true): ManifestBuilder {
  const builder = new ManifestBuilder("blake3");
  builder.addDirectory({ path: "folder", mode: 0o755, modifiedMilliseconds: -5 });
  builder.addLink({ path: "folder/link", target: "../f0" });
  files.forEach((file, index) => {
    const common = {
      path: `f${String(index)}`,
      mode: 0o644,
      modifiedMilliseconds: 1000,
      version: 1,
      blockBytes: file.blockBytes,
    };
    if (file.growing) {
      builder.beginGrowingFile(common);
      file.blocks.forEach((block, place) => {
        builder.addGrownBlock({
          lengthBytes: block.lengthBytes,
          checksum: testChecksum(block.content),
          final: file.final && place === file.blocks.length - 1,
        });
      });
      builder.endGrowingFile({ modifiedMilliseconds: 2000 });
    } else {
      const checksums = new Uint8Array(file.blocks.length * checksumLengthBytes);
      file.blocks.forEach((block, place) => {
        checksums.set(testChecksum(block.content), place * checksumLengthBytes);
      });
      const lengthBytes = file.blocks.reduce((sum, block) => sum + block.lengthBytes, 0);
      builder.addFile({ ...common, lengthBytes, checksums });
    }
  });
  if (ended) builder.end();
  return builder;
}
