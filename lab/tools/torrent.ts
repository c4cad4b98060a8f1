/** Makes a .torrent file of a payload, the same one for every BitTorrent program. Its checksums are made before the clock. */
import { createHash } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import { basename, join } from "node:path";
import type { Payload } from "../race/payload.ts";

/** Pieces of a torrent are no smaller, */
const leastPieceBytes = 16 * 1024;
/** and no larger. */
const largestPieceBytes = 4 * 1024 * 1024;
/** About what the usual makers of torrents aim at. */
const wantedPieces = 1_024;

type Bencoded = number | string | Uint8Array | readonly Bencoded[] | { readonly [key: string]: Bencoded };

/** @returns the file's content. Its name is that of the payload's directory: what is saved in D stands in D/NAME */
export function makeTorrent({ directory, files, fileSet }: Payload, trackerUrl: string): Uint8Array {
  const pieceBytes = pieceBytesFor(fileSet.totalBytes);
  return bencode({
    announce: trackerUrl,
    info: {
      files: files.map(({ path, bytes }) => ({ length: bytes, path: path.split("/") })),
      name: basename(directory),
      "piece length": pieceBytes,
      pieces: hashPieces(
        files.map(({ path }) => join(directory, path)),
        pieceBytes,
      ),
    },
  });
}

/** A power of two that makes about a thousand pieces. */
export function pieceBytesFor(totalBytes: number): number {
  let pieceBytes = leastPieceBytes;
  while (pieceBytes < largestPieceBytes && totalBytes / pieceBytes > wantedPieces) pieceBytes *= 2;
  return pieceBytes;
}

/** Integers, texts, bytes, lists, and dictionaries with their keys sorted. */
export function bencode(value: Bencoded): Uint8Array {
  if (typeof value === "number") return Buffer.from(`i${value}e`);
  if (typeof value === "string") return bencode(Buffer.from(value));
  if (value instanceof Uint8Array) return Buffer.concat([Buffer.from(`${value.length}:`), value]);
  if (isList(value)) return Buffer.concat([Buffer.from("l"), ...value.map(bencode), Buffer.from("e")]);
  const entries = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1));
  const parts = entries.flatMap(([key, entry]) => [bencode(key), bencode(entry)]);
  return Buffer.concat([Buffer.from("d"), ...parts, Buffer.from("e")]);
}

function isList(value: Bencoded): value is readonly Bencoded[] {
  return Array.isArray(value);
}

/** SHA-1 of every piece of the files, one after another. */
function hashPieces(paths: readonly string[], pieceBytes: number): Uint8Array {
  const digests: Buffer[] = [];
  const piece = new Uint8Array(pieceBytes);
  let filled = 0;
  const close = (): void => {
    digests.push(createHash("sha1").update(piece.subarray(0, filled)).digest());
    filled = 0;
  };
  for (const path of paths) {
    const file = openSync(path, "r");
    for (let length = -1; length !== 0;) {
      length = readSync(file, piece, filled, pieceBytes - filled, null);
      filled += length;
      if (filled === pieceBytes) close();
    }
    closeSync(file);
  }
  if (filled > 0) close();
  return Buffer.concat(digests);
}
