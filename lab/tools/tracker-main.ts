/**
 * The tracker of the BitTorrent programs: tells everyone who announces itself all others. It prints `listening`, and a
 * line for each announcement: the address and what it lacks.
 *
 * Arguments: ADDRESS PORT
 */
import { createServer } from "node:http";
import { bencode } from "./torrent.ts";

const intervalSeconds = 2;
const [address = "", port = "0"] = process.argv.slice(2);
/** By torrent: who takes part, as six bytes each. */
const swarms = new Map<string, Map<string, Uint8Array>>();

const server = createServer((request, response) => {
  // The hash is raw bytes, percent-encoded in whatever way the program likes: decoded to one form.
  const query = new Map(
    (request.url ?? "")
      .slice((request.url ?? "").indexOf("?") + 1)
      .split("&")
      .map((part) => part.split("="))
      .map(([key = "", value = ""]) => [key, value]),
  );
  const torrent = unescapeBytes(query.get("info_hash") ?? "");
  const from = (request.socket.remoteAddress ?? "").replace(/^::ffff:/, "");
  const peerPort = Number(query.get("port") ?? 0);
  const swarm = swarms.get(torrent) ?? new Map<string, Uint8Array>();
  swarms.set(torrent, swarm);
  const own = `${from}:${peerPort}`;
  if (query.get("event") === "stopped") swarm.delete(own);
  else swarm.set(own, Uint8Array.from([...from.split(".").map(Number), peerPort >> 8, peerPort & 255]));
  process.stdout.write(`${from} left ${query.get("left") ?? ""}\n`);
  const peers = Buffer.concat([...swarm].filter(([key]) => key !== own).map(([, bytes]) => bytes));
  response.end(bencode({ interval: intervalSeconds, "min interval": intervalSeconds, peers }));
});
server.listen(Number(port), address, () => process.stdout.write("listening\n"));

function unescapeBytes(text: string): string {
  return text.replaceAll(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
