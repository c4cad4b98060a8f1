/**
 * Block streams from one process to another over loopback, without disks or checksums: what the transport itself costs.
 * node dist/benchmarks/streams.js [--megabytes 1024] [--block 1048576] [--lanes 1] [--rate BITS_PER_SECOND]
 */
import { fork } from "node:child_process";
import { parseArgs } from "node:util";
import { accept } from "#src/platform/accept.ts";
import { formatAddress } from "#src/platform/address.ts";
import { monotonicNanoseconds } from "#src/platform/clock.ts";
import { PullClient } from "#src/platform/streams/pull-client.ts";
import { blockStreamProtocol, StreamServer } from "#src/platform/streams/stream-server.ts";
import { decodeTicket, encodeTicket } from "#src/protocol/ticket.ts";
import { nanosecondsPerSecond } from "#src/std/units.ts";

const fileSet = "benchmark@1";
const holderId = "1".repeat(32);
const peerId = "2".repeat(32);
const asChild = "source";
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    megabytes: { type: "string", default: "1024" },
    block: { type: "string", default: "1048576" },
    lanes: { type: "string", default: "1" },
    rate: { type: "string", default: "100000000000" },
  },
});
const blockBytes = Number(values.block);
const blockCount = Math.ceil((Number(values.megabytes) * 1_000_000) / blockBytes);
const laneCount = Number(values.lanes);
const rateBitsPerSecond = Number(values.rate);

const cpuSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000_000;
};

/** Serves blocks that are whatever stands in memory. */
async function runSource(): Promise<void> {
  const server = new StreamServer({
    authorize: (text) => ({ accepted: true, ticket: decodeTicket(text) }),
    holding: () => "held",
    blockLengthBytes: () => blockBytes,
    readBlocks: () => Promise.resolve("read"),
    readsParts: true,
    acceptPushed: () => Promise.resolve({ type: "taken" }),
    flush: () => Promise.resolve(),
    log: (line) => console.error(line),
  });
  const { address } = await accept({
    host: "127.0.0.1",
    port: 0,
    onRequest: (_request, response) => void response.end(),
    upgrades: { [blockStreamProtocol]: server.upgrade },
  });
  const before = cpuSeconds();
  process.once("message", () => {
    process.send?.({ cpuSeconds: cpuSeconds() - before, residentBytes: process.memoryUsage().rss });
    process.disconnect();
    process.exit(0);
  });
  process.send?.(formatAddress(address));
}

function ticketFor(laneId: number, ranges: number[]): string {
  return encodeTicket({
    term: 1,
    laneId,
    revision: 1,
    use: "fetch",
    holderId,
    peerId,
    peerName: "benchmark",
    portions: [{ fileSet, order: "content", ranges }],
    rateBitsPerSecond,
    durationMilliseconds: 3_600_000,
    signature: "",
  });
}

/** Pulls everything and resolves when all of it has come. */
function pullAll(address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let missing = blockCount;
    const client = new PullClient({
      peerId,
      blockLengthBytes: () => blockBytes,
      writeBlocks: () => Promise.resolve({ bad: [] }),
      stored: (_laneId, { start, end }) => {
        missing -= end - start;
        if (missing > 0) return;
        client.close();
        resolve();
      },
      received: () => undefined,
      reached: () => undefined,
      laneFailed: (_laneId, kind, detail) => reject(new Error(`${kind}: ${detail}`)),
      log: (line) => console.error(line),
    });
    for (let lane = 0; lane < laneCount; lane += 1) {
      const ranges = [Math.floor((lane * blockCount) / laneCount), Math.floor(((lane + 1) * blockCount) / laneCount)];
      client.openLane({ laneId: lane, address, rateBitsPerSecond });
      client.pull(lane, { fileSet, order: "content", ranges, ticket: ticketFor(lane, ranges) });
    }
  });
}

async function runTarget(): Promise<void> {
  const source = fork(new URL(import.meta.url), [asChild, ...process.argv.slice(2)]);
  const address = await new Promise<string>(
    (resolve) => void source.once("message", (text) => resolve(text as string)),
  );
  const cpuBefore = cpuSeconds();
  const begun = monotonicNanoseconds();
  await pullAll(address);
  const seconds = (monotonicNanoseconds() - begun) / nanosecondsPerSecond;
  const gigabytes = (blockCount * blockBytes) / 1e9;
  const targetCpu = cpuSeconds() - cpuBefore;
  const resident = process.memoryUsage().rss;
  const answer = new Promise<{ cpuSeconds: number; residentBytes: number }>((resolve) => {
    source.once("message", (message) => resolve(message as { cpuSeconds: number; residentBytes: number }));
  });
  source.send("stop");
  const sent = await answer;
  const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(0);
  console.log(
    `${gigabytes.toFixed(2)} GB in ${seconds.toFixed(2)} s: ${(gigabytes / seconds).toFixed(3)} GB/s; ` +
      `CPU seconds per GB: source ${(sent.cpuSeconds / gigabytes).toFixed(2)}, target ${(targetCpu / gigabytes).toFixed(2)}; ` +
      `resident MB: source ${megabytes(sent.residentBytes)}, target ${megabytes(resident)}`,
  );
}

await (positionals[0] === asChild ? runSource() : runTarget());
