/** However a manifest comes in, it comes out whole, in order, once. */
import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import { testHash } from "../../model/manifest.testing.ts";
import { pieceRange, summarizeManifest } from "../../model/manifest-root.ts";
import { concatenateBytes } from "../../std/bytes.ts";
import { extendsSummary, ManifestIntake } from "./manifest-intake.ts";

const pieceBytes = 8;
const summaryOf = (bytes: Uint8Array) => summarizeManifest(testHash, "sha256", bytes, pieceBytes);

it("takes pieces in any order, tails and new roots, and hands out the bytes in order", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 80 }),
      fc.array(fc.record({ length: fc.nat(80), withTail: fc.boolean(), pieces: fc.array(fc.nat(9)) }), {
        maxLength: 6,
      }),
      (bytes, growth) => {
        const lengths = [...growth.map((step) => step.length % bytes.length), bytes.length].sort((a, b) => a - b);
        const intake = new ManifestIntake(testHash, summaryOf(bytes.subarray(0, lengths[0])));
        const out: Uint8Array[] = [];
        const takePiece = (index: number) => {
          if (index >= intake.pieceCount) return;
          const { start, end } = pieceRange(intake.summary, index);
          // What an outdated source sends is not taken.
          assert.equal(intake.add(index, bytes.subarray(start, end - 1)), undefined);
          out.push(...(intake.add(index, bytes.subarray(start, end)) ?? []));
          assert.ok(intake.held.has(index));
        };
        lengths.forEach((length, place) => {
          const before = intake.summary;
          const summary = summaryOf(bytes.subarray(0, length));
          assert.ok(extendsSummary(before, summary));
          intake.extend(summary);
          const step = growth[place];
          if (step?.withTail === true) {
            out.push(...intake.addTail(before.lengthBytes, bytes.subarray(before.lengthBytes, length)));
          }
          for (const index of step?.pieces ?? []) takePiece(index);
        });
        for (let index = intake.pieceCount - 1; index >= 0; index -= 1) takePiece(index);
        assert.ok(intake.isWhole);
        assert.deepEqual(concatenateBytes(out), bytes);
        assert.equal(intake.held.count, intake.pieceCount);
      },
    ),
  );
});

it("follows a growing manifest by tails alone", () => {
  const bytes = Uint8Array.from({ length: 50 }, (_, index) => index);
  const intake = new ManifestIntake(testHash, summaryOf(bytes.subarray(0, 3)));
  const out = [...intake.addTail(0, bytes.subarray(0, 3))];
  for (let length = 3; length < 50; length += 3) {
    intake.extend(summaryOf(bytes.subarray(0, Math.min(50, length + 3))));
    out.push(...intake.addTail(length, bytes.subarray(length, Math.min(50, length + 3))));
    assert.ok(intake.isWhole);
  }
  assert.deepEqual(concatenateBytes(out), bytes);
});

it("believes of stored bytes only whole pieces that verify, and no tail that does not", () => {
  const bytes = Uint8Array.from({ length: 30 }, (_, index) => index);
  const intake = new ManifestIntake(testHash, summaryOf(bytes));
  const damaged = bytes.slice();
  damaged[20] = 0;
  assert.deepEqual(concatenateBytes(intake.restore(damaged)), bytes.subarray(0, 16));
  assert.deepEqual(intake.addTail(16, damaged.subarray(16)), [damaged.subarray(24)].slice(1));
  assert.deepEqual(concatenateBytes(intake.addTail(16, bytes.subarray(16))), bytes.subarray(16));
});
