import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { concatenateBytes } from "../std/bytes.ts";
import { UserError } from "../std/errors.ts";
import { RangeSet } from "../std/ranges.ts";
import { ManifestBuilder } from "./manifest-builder.ts";
import { Manifest } from "./manifest.ts";
import type { TestFile } from "./manifest.testing.ts";
import { buildTestManifest, testChecksum, testFiles } from "./manifest.testing.ts";

/** All that a manifest says. */
function describeManifest(manifest: Manifest): unknown {
  const blocks = Array.from({ length: manifest.blockCount }, (_, index) => index);
  return {
    files: manifest.files,
    directories: manifest.directories,
    links: manifest.links,
    totals: [manifest.blockCount, manifest.totalBytes, manifest.isComplete, manifest.logBytes, manifest.pendingBytes],
    blocks: blocks.map((index) => [
      Buffer.from(manifest.blockChecksum(index)).toString("hex"),
      manifest.blockLengthBytes(index),
      manifest.blockFile(index),
      manifest.blockOffsetBytes(index),
      manifest.isFinalBlock(index),
      manifest.duplicateOf(index),
    ]),
    duplicates: manifest.duplicates().toFlat(),
  };
}

function flatBlocks(
  files: readonly TestFile[],
): { content: number; lengthBytes: number; file: number; place: number }[] {
  return files.flatMap(({ blocks }, file) => blocks.map((block, place) => ({ ...block, file, place })));
}

const fileFields = { mode: 0o644, modifiedMilliseconds: 0, version: 1, blockBytes: 10 };
const empty = new Uint8Array(0);

/** The bytes of a manifest that `write` writes, which must be refused. */
function refused(message: RegExp, write: (builder: ManifestBuilder) => void): void {
  const builder = new ManifestBuilder("sha256");
  assert.throws(
    () => {
      write(builder);
      builder.end();
    },
    (error) => error instanceof UserError && message.test(error.message),
    String(message),
  );
  assert.throws(() => {
    builder.end();
  }, UserError);
}

test("what is built is decoded: files, blocks, offsets, finals, duplicates", () => {
  fc.assert(
    fc.property(testFiles, (files) => {
      const manifest = Manifest.decode(buildTestManifest(files).toBytes());
      const blocks = flatBlocks(files);
      assert.equal(manifest.algorithm, "blake3");
      assert.ok(manifest.isComplete);
      assert.equal(manifest.blockCount, blocks.length);
      assert.equal(manifest.files.length, files.length);
      assert.equal(
        manifest.totalBytes,
        blocks.reduce((sum, block) => sum + block.lengthBytes, 0),
      );
      blocks.forEach((block, index) => {
        const earlier = blocks.findIndex(
          (other) => other.content === block.content && other.lengthBytes === block.lengthBytes,
        );
        const siblings = files[block.file]?.blocks ?? [];
        assert.deepEqual(manifest.blockChecksum(index), testChecksum(block.content));
        assert.equal(manifest.blockLengthBytes(index), block.lengthBytes);
        assert.equal(manifest.blockFile(index), block.file);
        assert.equal(
          manifest.blockOffsetBytes(index),
          siblings.slice(0, block.place).reduce((sum, sibling) => sum + sibling.lengthBytes, 0),
        );
        assert.equal(manifest.isFinalBlock(index), block.place === siblings.length - 1);
        assert.equal(manifest.duplicateOf(index), earlier === index ? -1 : earlier);
        assert.equal(manifest.duplicates().has(index), earlier !== index);
      });
      assert.deepEqual(
        manifest.files.map((file) => [file.growing, file.ended, file.blockCount]),
        files.map((file) => [file.growing, true, file.blocks.length]),
      );
    }),
  );
});

test("sums over ranges and lengths of files agree with adding up", () => {
  const anyRange = fc.tuple(fc.nat(30), fc.nat(30));
  fc.assert(
    fc.property(testFiles, anyRange, fc.array(fc.nat(30)), (files, [left, right], heldBlocks) => {
      const { manifest } = buildTestManifest(files);
      const blocks = flatBlocks(files);
      const start = Math.min(left, right, blocks.length);
      const end = Math.min(Math.max(left, right), blocks.length);
      const expected = blocks.slice(start, end).reduce((sum, block) => sum + block.lengthBytes, 0);
      assert.equal(manifest.bytesInRange(start, end), expected);
      assert.equal(manifest.bytesInRanges(RangeSet.of(start, end)), expected);
      const held = new RangeSet();
      for (const index of heldBlocks) held.add(index, index + 1);
      const lengths = files.map((file, fileIndex) => {
        let length = 0;
        for (const [index, block] of blocks.entries()) {
          if (block.file !== fileIndex) continue;
          if (!held.has(index)) break;
          length += block.lengthBytes;
        }
        return length;
      });
      assert.deepEqual(manifest.fileLengths(held), lengths);
      lengths.forEach((length, index) => {
        assert.equal(manifest.contiguousLengthBytes(index, held), length);
      });
    }),
  );
});

test("appending in parts gives the same as decoding the whole, wherever it is cut", () => {
  fc.assert(
    fc.property(testFiles, fc.array(fc.nat(3000), { maxLength: 6 }), fc.boolean(), (files, cuts, asks) => {
      const bytes = buildTestManifest(files).toBytes();
      const manifest = new Manifest();
      let position = 0;
      for (const cut of [...cuts.toSorted((left, right) => left - right), bytes.length]) {
        manifest.append(bytes.subarray(position, Math.max(position, cut)));
        position = Math.max(position, Math.min(cut, bytes.length));
        // Questions in between must not change later answers.
        if (asks) describeManifest(manifest);
      }
      assert.deepEqual(describeManifest(manifest), describeManifest(Manifest.decode(bytes)));
    }),
  );
  const bytes = buildTestManifest([
    { growing: false, blockBytes: 3, blocks: [{ content: 1, lengthBytes: 3 }], final: true },
    { growing: true, blockBytes: 3, blocks: [{ content: 1, lengthBytes: 3 }], final: true },
  ]).toBytes();
  const whole = describeManifest(Manifest.decode(bytes));
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    const manifest = Manifest.decode(bytes.subarray(0, cut));
    manifest.append(bytes.subarray(cut));
    assert.deepEqual(describeManifest(manifest), whole);
  }
});

test("hostile bytes are refused with a UserError or taken, never anything else", () => {
  const flips = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
  const decode = (bytes: Uint8Array): void => {
    try {
      describeManifest(Manifest.decode(bytes));
    } catch (error) {
      // What was taken in before the header is not a manifest that can be asked.
      assert.ok(error instanceof UserError, String(error));
    }
  };
  fc.assert(
    fc.property(testFiles, flips, fc.boolean(), (files, changes, appends) => {
      const bytes = buildTestManifest(files, !appends).toBytes();
      for (const [place, value] of changes) bytes[place % bytes.length] = value;
      decode(bytes);
    }),
    { numRuns: 1000 },
  );
  const header = new ManifestBuilder("blake3").toBytes();
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 8 }), fc.uint8Array({ maxLength: 40 }))), (records) => {
      decode(
        concatenateBytes([
          header,
          ...records.flatMap(([type, payload]) => [Uint8Array.of(type, payload.length), payload]),
        ]),
      );
    }),
    { numRuns: 1000 },
  );
  fc.assert(fc.property(fc.uint8Array(), decode));
});

test("a growing file is followed block by block", () => {
  const builder = new ManifestBuilder("blake3");
  const follower = new Manifest();
  const follow = (): void => {
    follower.append(builder.takeAppended());
  };
  builder.addFile({ ...fileFields, path: "empty", lengthBytes: 0, checksums: empty });
  builder.beginGrowingFile({ ...fileFields, path: "log" });
  follow();
  assert.deepEqual([follower.files[1]?.growing, follower.files[1]?.ended], [true, false]);
  builder.addGrownBlock({ lengthBytes: 7, checksum: testChecksum(1), final: false });
  follow();
  assert.equal(follower.files[1]?.lengthBytes, 7);
  assert.equal(follower.blockFile(0), 1);
  assert.equal(follower.isFinalBlock(0), false);
  builder.addGrownBlock({ lengthBytes: 5, checksum: testChecksum(2), final: true });
  follow();
  assert.equal(follower.isFinalBlock(1), true);
  assert.equal(follower.files[1]?.ended, false);
  builder.endGrowingFile({ modifiedMilliseconds: 99 });
  builder.end();
  follow();
  assert.equal(builder.takeAppended().length, 0);
  assert.deepEqual([follower.files[1]?.ended, follower.files[1]?.modifiedMilliseconds], [true, 99]);
  assert.equal(follower.totalBytes, 12);
  assert.ok(follower.isComplete);
});

test("many blocks: one file of several records, duplicates across growth of the tables", () => {
  const blockCount = 3000;
  const checksums = concatenateBytes(Array.from({ length: blockCount }, (_, index) => testChecksum(index % 200)));
  const builder = new ManifestBuilder("blake3");
  builder.addFile({ ...fileFields, path: "a", lengthBytes: blockCount * 10, checksums });
  assert.equal(builder.manifest.duplicates().count, blockCount - 200);
  builder.addFile({ ...fileFields, path: "b", lengthBytes: blockCount * 10 - 3, checksums });
  builder.end();
  const manifest = Manifest.decode(builder.toBytes());
  assert.equal(manifest.blockCount, 2 * blockCount);
  assert.deepEqual(manifest.duplicates().toFlat(), builder.manifest.duplicates().toFlat());
  // The very last block is shorter, so it equals none.
  assert.deepEqual(manifest.duplicates().toFlat(), [200, 2 * blockCount - 1]);
  assert.equal(manifest.duplicateOf(blockCount + 1), 1);
  assert.throws(() => manifest.blockChecksum(2 * blockCount), RangeError);
  assert.throws(() => manifest.bytesInRange(5, 4), RangeError);
  assert.throws(() => manifest.contiguousLengthBytes(2, new RangeSet()), RangeError);
});

test("unknown records and additions to known ones are skipped, another major version is not read", () => {
  const builder = new ManifestBuilder("blake3");
  const bytes = builder.toBytes();
  const unknown = Uint8Array.of(200, 3, 1, 2, 3);
  const longerDirectory = Uint8Array.of(1, 5, 1, 0x61, 7, 0, 42);
  const manifest = Manifest.decode(concatenateBytes([bytes, unknown, longerDirectory]));
  assert.deepEqual(manifest.directories, [{ path: "a", mode: 7, modifiedMilliseconds: 0 }]);
  const newer = bytes.slice();
  newer[5] = 9;
  assert.equal(Manifest.decode(newer).algorithm, "blake3");
  newer[4] = 2;
  assert.throws(() => Manifest.decode(newer), { message: "manifest format 2, this program reads 1: upgrade" });
  const strange = bytes.slice();
  strange[6] = 9;
  assert.throws(() => Manifest.decode(strange), /checksum algorithm 9/);
  assert.throws(() => Manifest.decode(Uint8Array.of(0x53, 0x4d)), UserError);
  assert.throws(() => new Manifest().algorithm, UserError);
});

test("what contradicts itself is refused", () => {
  const file = { ...fileFields, lengthBytes: 0, checksums: empty };
  const directory = { mode: 0o755, modifiedMilliseconds: 0 };
  refused(/absolute/, (builder) => {
    builder.addFile({ ...file, path: "/a" });
  });
  refused(/twice/, (builder) => {
    builder.addFile({ ...file, path: "a" });
    builder.addLink({ path: "a", target: "b" });
  });
  refused(/both a file and a directory/, (builder) => {
    builder.addFile({ ...file, path: "a/b/c" });
    builder.addFile({ ...file, path: "a/b" });
  });
  refused(/below "a", which is a link/, (builder) => {
    builder.addLink({ path: "a", target: "b" });
    builder.addFile({ ...file, path: "a/b/c" });
  });
  refused(/below "a\/b", which is a file/, (builder) => {
    builder.addFile({ ...file, path: "a/b" });
    builder.addDirectory({ ...directory, path: "a/b/c" });
  });
  refused(/mode 1000/, (builder) => {
    builder.addDirectory({ ...directory, path: "a", mode: 0o1000 });
  });
  refused(/version 0/, (builder) => {
    builder.addFile({ ...file, path: "a", version: 0 });
  });
  refused(/block size/, (builder) => {
    builder.addFile({ ...file, path: "a", blockBytes: 2 ** 24 + 1 });
  });
  assert.throws(() => {
    new ManifestBuilder("blake3").addFile({ ...file, path: "a", lengthBytes: 1 });
  }, /as many checksums/);
  refused(/not ended yet/, (builder) => {
    builder.beginGrowingFile({ ...fileFields, path: "a" });
  });
  refused(/no growing file/, (builder) => {
    builder.endGrowingFile({ modifiedMilliseconds: 0 });
  });
  refused(/0 bytes long/, (builder) => {
    builder.beginGrowingFile({ ...fileFields, path: "a" });
    builder.addGrownBlock({ lengthBytes: 0, checksum: testChecksum(0), final: true });
  });
  refused(/follows the final one/, (builder) => {
    builder.beginGrowingFile({ ...fileFields, path: "a" });
    builder.addGrownBlock({ lengthBytes: 1, checksum: testChecksum(0), final: true });
    builder.addGrownBlock({ lengthBytes: 1, checksum: testChecksum(0), final: true });
  });
  refused(/follows the end/, (builder) => {
    builder.end();
    builder.addDirectory({ ...directory, path: "a" });
  });
});

test("a directory may be written down after what lies in it", () => {
  const builder = new ManifestBuilder("blake3");
  builder.addFile({ ...fileFields, path: "a/b/c", lengthBytes: 0, checksums: empty });
  builder.addDirectory({ path: "a", mode: 0o700, modifiedMilliseconds: 0 });
  builder.addDirectory({ path: "a/b", mode: 0o700, modifiedMilliseconds: 0 });
  builder.end();
  assert.equal(Manifest.decode(builder.toBytes()).directories.length, 2);
});

test("links that leave are refused, at once or when all links are known", () => {
  refused(/leads out/, (builder) => {
    builder.addLink({ path: "a/b", target: "../../c" });
  });
  refused(/leads out/, (builder) => {
    builder.addLink({ path: "a", target: "/etc/passwd" });
  });
  refused(/target of the link "a" is empty/, (builder) => {
    builder.addLink({ path: "a", target: "" });
  });
  refused(/"second".*leads out/, (builder) => {
    builder.addLink({ path: "second", target: "first/.." });
    builder.addLink({ path: "first", target: "." });
  });
  const builder = new ManifestBuilder("blake3");
  builder.addLink({ path: "second", target: "first/../file" });
  builder.addLink({ path: "first", target: "a/b" });
  builder.end();
  assert.equal(builder.manifest.links.length, 2);
});
