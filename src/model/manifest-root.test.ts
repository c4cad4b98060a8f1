import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { testHash } from "./manifest.testing.ts";
import {
  ManifestSummarizer,
  manifestPieceBytesFor,
  pieceCount,
  pieceRange,
  summarizeManifest,
  verifyPiece,
  verifySummary,
} from "./manifest-root.ts";

const anyBytes = fc.uint8Array({ maxLength: 100 });
const pieceSize = fc.integer({ min: 1, max: 30 });

test("a summary and its pieces verify; anything else does not", () => {
  fc.assert(
    fc.property(anyBytes, pieceSize, fc.nat(), (bytes, pieceBytes, place) => {
      const summary = summarizeManifest(testHash, "sha256", bytes, pieceBytes);
      assert.ok(verifySummary(testHash, summary));
      assert.equal(verifySummary(testHash, { ...summary, lengthBytes: summary.lengthBytes + 1 }), false);
      assert.equal(verifySummary(testHash, { ...summary, pieceBytes: 0 }), false);
      assert.equal(verifySummary(testHash, { ...summary, pieceBytes: pieceBytes + 1 }), false);
      for (let index = 0; index < pieceCount(summary); index += 1) {
        const { start, end } = pieceRange(summary, index);
        const piece = bytes.slice(start, end);
        assert.ok(verifyPiece(testHash, summary, index, piece));
        assert.equal(verifyPiece(testHash, summary, index, piece.subarray(1)), false);
        piece[place % piece.length] = (piece[place % piece.length] ?? 0) ^ 1;
        assert.equal(verifyPiece(testHash, summary, index, piece), false);
      }
      if (bytes.length > 0) {
        const pieceChecksums = summary.pieceChecksums.slice();
        pieceChecksums[place % pieceChecksums.length] = (pieceChecksums[place % pieceChecksums.length] ?? 0) ^ 1;
        assert.equal(verifySummary(testHash, { ...summary, pieceChecksums }), false);
      }
      assert.throws(() => pieceRange(summary, pieceCount(summary)), RangeError);
    }),
  );
});

test("a manifest summarized in parts has the root of the whole, at every step", () => {
  fc.assert(
    fc.property(fc.array(anyBytes, { maxLength: 6 }), pieceSize, (parts, pieceBytes) => {
      const summarizer = new ManifestSummarizer(testHash, "blake3", pieceBytes);
      let whole = new Uint8Array(0);
      for (const part of parts) {
        summarizer.append(part);
        whole = Uint8Array.from([...whole, ...part]);
        assert.deepEqual(summarizer.summary(), summarizeManifest(testHash, "blake3", whole, pieceBytes));
      }
    }),
  );
});

test("the root depends on the algorithm, and is the same for ever", () => {
  const bytes = Uint8Array.of(1, 2, 3);
  assert.equal(
    summarizeManifest(testHash, "sha256", bytes, 2).root,
    "sha256:35601aa44d43631cf718d131f59862f7dd2d4d80324a5c2f8da141c6be72c615",
  );
  const other = summarizeManifest(testHash, "blake3", bytes, 2).root;
  assert.match(other, /^blake3:/);
  assert.notEqual(other.slice(7), summarizeManifest(testHash, "sha256", bytes, 2).root.slice(7));
});

test("pieces are 64 KiB, or larger where there would be too many", () => {
  assert.equal(manifestPieceBytesFor(0), 65_536);
  assert.equal(manifestPieceBytesFor(8_388_608), 65_536);
  assert.equal(manifestPieceBytesFor(8_388_609), 131_072);
  assert.throws(() => new ManifestSummarizer(testHash, "blake3", 0), RangeError);
});
