/** A .torrent of a directory (version 1), and a tracker that hands everybody one peer: what BitTorrent programs need. */
import { createHash } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, join } from "node:path";

/** Announced again after so many seconds. */
const announceSeconds = 2;

type Encodable = number | string | Uint8Array | readonly Encodable[] | { readonly [key: string]: Encodable };

/** Keys of dictionaries must stand in order already. */
function bencode(value: Encodable): Buffer {
  if (typeof value === "number") return Buffer.from(`i${value}e`);
  if (typeof value === "string") return bencode(Buffer.from(value));
  if (value instanceof Uint8Array) return Buffer.concat([Buffer.from(`${value.length}:`), value]);
  if (Array.isArray(value)) {
    return Buffer.concat([Buffer.from("l"), ...value.map((item) => bencode(item)), Buffer.from("e")]);
  }
  const entries = Object.entries(value).flatMap(([key, item]) => [bencode(key), bencode(item)]);
  return Buffer.concat([Buffer.from("d"), ...entries, Buffer.from("e")]);
}

/** @param paths of the files below the directory, with slashes */
export function makeTorrent(directory: string, paths: readonly string[], pieceBytes: number, announce: string): Buffer {
  const files: Encodable[] = [];
  const pieces: Buffer[] = [];
  // Pieces go on from one file to the next.
  const piece = Buffer.alloc(pieceBytes);
  let filled = 0;
  for (const path of paths) {
    const file = openSync(join(directory, path), "r");
    let lengthBytes = 0;
    for (let count = -1; count !== 0;) {
      count = readSync(file, piece, filled, pieceBytes - filled, lengthBytes);
      lengthBytes += count;
      filled += count;
      if (filled < pieceBytes) continue;
      pieces.push(createHash("sha1").update(piece).digest());
      filled = 0;
    }
    closeSync(file);
    files.push({ length: lengthBytes, path: path.split("/") });
  }
  if (filled > 0) pieces.push(createHash("sha1").update(piece.subarray(0, filled)).digest());
  const info = { files, name: basename(directory), "piece length": pieceBytes, pieces: Buffer.concat(pieces) };
  return bencode({ announce, info });
}

/** A tracker that answers everybody with the peer at this port of this host. */
export async function startTracker(peerPort: number): Promise<{ readonly url: string; readonly server: Server }> {
  const peers = Buffer.from([127, 0, 0, 1, peerPort >> 8, peerPort & 0xff]);
  const server = createServer((_request, response) => void response.end(bencode({ interval: announceSeconds, peers })));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  server.unref();
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/announce`, server };
}
