/**
 * One end of a TCP flow that takes what it gets: `receive ADDRESS PORT`, which prints the bytes so far every 50 ms, or
 * `send ADDRESS PORT`. Both run until they are ended.
 */
import { connect, createServer } from "node:net";
import { nowMilliseconds } from "./milliseconds.ts";

/** How often the bytes so far are printed. */
const printMilliseconds = 50;
/** Written at once. */
const chunkBytes = 256 * 1024;

const [role, address = "", port = "0"] = process.argv.slice(2);
if (role === "receive") {
  let bytes = 0;
  createServer((socket) => {
    socket.on("data", (part) => (bytes += part.length));
    socket.on("error", () => undefined);
  }).listen(Number(port), address, () => process.stdout.write("listening\n"));
  setInterval(() => process.stdout.write(`${nowMilliseconds()} ${bytes}\n`), printMilliseconds);
} else {
  const socket = connect(Number(port), address);
  const chunk = Buffer.alloc(chunkBytes);
  const fill = (): void => {
    while (socket.write(chunk));
  };
  socket.on("connect", fill);
  socket.on("drain", fill);
  socket.on("error", () => process.exit(1));
}
