import assert from "node:assert/strict";
import { test } from "node:test";
import { readPieces } from "./read-pieces.ts";

const pieceBytes = 4;
const manifest = Uint8Array.from({ length: 18 }, (_, index) => index);

/** Reads with the first pieces on the disk and these ones in memory. */
async function read(offset: number, lengthBytes: number, loose: readonly number[]): Promise<number[][]> {
  const reads: number[][] = [];
  const into = new Uint8Array(lengthBytes);
  await readPieces(offset, into, pieceBytes, {
    loosePiece: (piece) =>
      loose.includes(piece) ? manifest.subarray(piece * pieceBytes, (piece + 1) * pieceBytes) : undefined,
    readStored: async (from, length) => {
      reads.push([from, length]);
      return manifest.subarray(from, from + length);
    },
  });
  assert.deepEqual([...into], [...manifest.subarray(offset, offset + lengthBytes)]);
  return reads;
}

test("pieces come from where they are: what is stored in one read, the rest from memory", async () => {
  assert.deepEqual(await read(0, 18, []), [[0, 18]]);
  assert.deepEqual(await read(0, 18, [2]), [
    [0, 8],
    [12, 6],
  ]);
  assert.deepEqual(await read(0, 18, [0, 1, 2, 3, 4]), []);
});

test("parts of pieces", async () => {
  assert.deepEqual(await read(2, 1, []), [[2, 1]]);
  assert.deepEqual(await read(5, 8, [1]), [[8, 5]]);
  assert.deepEqual(await read(17, 1, [4]), []);
  assert.deepEqual(await read(6, 0, []), []);
});
