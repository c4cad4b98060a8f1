/** A .torrent of a directory (version 1), and a tracker that hands everybody one peer: what BitTorrent programs need. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
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
  let hash = createHash("sha1");
  let hashedBytes = 0;
  for (const path of paths) {
    const bytes = readFileSync(join(directory, path));
    files.push({ length: bytes.length, path: path.split("/") });
    for (let start = 0; start < bytes.length;) {
      const end = Math.min(bytes.length, start + pieceBytes - hashedBytes);
      hash.update(bytes.subarray(start, end));
      hashedBytes += end - start;
      start = end;
      if (hashedBytes < pieceBytes) continue;
      pieces.push(hash.digest());
      hash = createHash("sha1");
      hashedBytes = 0;
    }
  }
  if (hashedBytes > 0) pieces.push(hash.digest());
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
