/**
 * A probe: fetches one block over a connection of its own and says whether it came and was right. What came is thrown
 * away. It promises an answer within its time-out.
 */
import type { BlockOrderName, FailureKind, FileSetKey } from "../../protocol/parts.ts";
import { slotUnitBytes } from "./limits.ts";
import { PullClient } from "./pull-client.ts";
import { SlotPool } from "./slot-pool.ts";

export interface ProbeOptions {
  readonly peerId: string;
  readonly laneId: number;
  readonly address: string;
  readonly rateBitsPerSecond: number;
  readonly ticket: string;
  readonly fileSet: FileSetKey;
  readonly order: BlockOrderName;
  readonly block: number;
  readonly lengthBytes: number;
  /** Whether these are the block's bytes. They stand in shared memory. */
  readonly verify: (bytes: Uint8Array) => boolean | Promise<boolean>;
  readonly timeoutMilliseconds: number;
}

/** Resolves to undefined when the block came and was right, else to what went wrong. */
export function probeBlock(options: ProbeOptions): Promise<FailureKind | undefined> {
  const { laneId, address, rateBitsPerSecond, ticket, fileSet, order, block, lengthBytes } = options;
  return new Promise((resolve) => {
    const timer = setTimeout(() => end("stalled"), options.timeoutMilliseconds);
    const client = new PullClient({
      peerId: options.peerId,
      pool: new SlotPool((Math.ceil(lengthBytes / slotUnitBytes) + 1) * slotUnitBytes),
      blockLengthBytes: () => lengthBytes,
      writeBlocks: async (_run, bytes) => ({ bad: (await options.verify(bytes)) ? [] : [block] }),
      stored: () => end(undefined),
      received: () => undefined,
      reached: () => undefined,
      laneFailed: (_laneId, kind) => end(kind),
      log: () => undefined,
    });
    const end = (outcome: FailureKind | undefined): void => {
      clearTimeout(timer);
      client.close();
      resolve(outcome);
    };
    client.openLane({ laneId, address, rateBitsPerSecond });
    client.pull(laneId, { fileSet, order, ranges: [block, block + 1], ticket });
  });
}
