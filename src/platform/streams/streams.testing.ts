/** In-memory agents around real streams on loopback: what the tests of streams share. */
import { createHash } from "node:crypto";
import { encodeTicket } from "../../protocol/ticket.ts";
import type { Ticket } from "../../protocol/ticket.ts";
import { decodeTicket } from "../../protocol/ticket.ts";
import type { BlockOrderName, FailureKind } from "../../protocol/parts.ts";
import { RangeSet } from "../../std/ranges.ts";
import { accept } from "../accept.ts";
import type { Accepting } from "../accept.ts";
import { formatAddress } from "../address.ts";
import { PullClient } from "./pull-client.ts";
import { PushClient } from "./push-client.ts";
import { SlotPool } from "./slot-pool.ts";
import { blockStreamProtocol, StreamServer } from "./stream-server.ts";
import type { BlockRun, PushedBatch, PushOutcome } from "./types.ts";

export const sourceId = "1".repeat(32);
export const targetId = "2".repeat(32);
export const fileSet = "maps@1";
const megabyte = 1024 * 1024;

/** Blocks of these lengths with reproducible contents. */
export class Content {
  readonly lengths: readonly number[];
  readonly blocks: readonly Uint8Array[];

  constructor(lengths: readonly number[]) {
    this.lengths = lengths;
    this.blocks = lengths.map((length, index) => {
      const block = Buffer.alloc(length);
      for (let offset = 0; offset < length; offset += 1) {
        block[offset] = (index * 7919 + offset * 31 + (offset >>> 8)) & 0xff;
      }
      return block;
    });
  }

  get totalBytes(): number {
    return this.lengths.reduce((sum, length) => sum + length, 0);
  }
}

export const digest = (bytes: Uint8Array): Uint8Array => createHash("sha256").update(bytes).digest();

export interface SourceOptions {
  readonly content: Content;
  readonly held?: RangeSet;
  readonly coming?: RangeSet;
  readonly corrupt?: ReadonlySet<number>;
  readonly readsParts?: boolean;
  readonly unknownMilliseconds?: number;
  readonly acceptPushed?: (batch: PushedBatch) => Promise<PushOutcome>;
  readonly flush?: () => Promise<void>;
}

/** A source: a real server with a store in memory. */
export class Source {
  readonly server: StreamServer;
  readonly held: RangeSet;
  readonly log: string[] = [];
  readonly sendPool = new SlotPool(16 * megabyte);
  readonly receivePool = new SlotPool(32 * megabyte);
  reads = 0;
  readonly #options: SourceOptions;
  #accepting: Accepting | undefined;

  constructor(options: SourceOptions) {
    this.#options = options;
    this.held = options.held ?? RangeSet.of(0, options.content.lengths.length);
    this.server = new StreamServer({
      authorize: (text, peerId) => {
        const ticket = decodeTicket(text);
        if (ticket.holderId !== sourceId) return { accepted: false, reason: "the ticket is for another agent" };
        if (ticket.peerId !== peerId) return { accepted: false, reason: "the ticket was given to another" };
        return { accepted: true, ticket };
      },
      holding: (_fileSet, _order, block) =>
        this.held.has(block) ? "held" : options.coming?.has(block) === true ? "coming" : "absent",
      blockLengthBytes: (_fileSet, _order, block) => options.content.lengths[block],
      readBlocks: (run, offsetBytes, into) => this.#read(run, offsetBytes, into),
      ...(options.readsParts === undefined ? {} : { readsParts: options.readsParts }),
      ...(options.unknownMilliseconds === undefined ? {} : { unknownMilliseconds: options.unknownMilliseconds }),
      acceptPushed: options.acceptPushed ?? (() => Promise.resolve({ type: "taken" })),
      flush: options.flush ?? (() => Promise.resolve()),
      log: (line) => void this.log.push(line),
      sendPool: this.sendPool,
      receivePool: this.receivePool,
    });
  }

  get address(): string {
    return this.#accepting === undefined ? "127.0.0.1:1" : formatAddress(this.#accepting.address);
  }

  async start(): Promise<this> {
    this.#accepting = await accept({
      host: "127.0.0.1",
      port: 0,
      onRequest: (_request, response) => void response.end(),
      upgrades: { [blockStreamProtocol]: this.server.upgrade },
    });
    return this;
  }

  async stop(): Promise<void> {
    this.server.close();
    await this.#accepting?.close();
  }

  /** Blocks arrive at the source. */
  store(start: number, end: number, order: BlockOrderName = "content"): void {
    this.held.add(start, end);
    this.server.notifyStored(fileSet, order, start, end);
  }

  async #read(run: BlockRun, offsetBytes: number, into: Uint8Array): Promise<"read" | "absent"> {
    this.reads += 1;
    await new Promise((resolve) => setImmediate(resolve));
    const { content, corrupt } = this.#options;
    if (!this.held.hasRange(run.start, run.end)) return "absent";
    const whole = Buffer.concat(content.blocks.slice(run.start, run.end));
    into.set(whole.subarray(offsetBytes, offsetBytes + into.length));
    for (const block of corrupt ?? []) {
      if (block >= run.start && block < run.end && offsetBytes === 0) into[0] = (into[0] ?? 0) ^ 0xff;
    }
    return "read";
  }
}

export interface TargetOptions {
  readonly content: Content;
  readonly poolBytes?: number;
  readonly peerId?: string;
  readonly write?: (run: BlockRun, bytes: Uint8Array) => Promise<void>;
  /** Lengths as the target believes them. */
  readonly lengths?: readonly number[];
}

/** A target: a real client that keeps what it was sent. */
export class Target {
  readonly client: PullClient;
  readonly pool: SlotPool;
  readonly stored = new RangeSet();
  readonly pieces = new Map<number, Uint8Array>();
  readonly writes: BlockRun[] = [];
  readonly roundTripsNanoseconds: number[] = [];
  readonly failures: { laneId: number; kind: FailureKind; detail: string }[] = [];
  readonly progress = new Map<number, { receivedBytes: number; waiting: boolean }>();
  readonly #waiters = new Set<() => void>();

  constructor(options: TargetOptions) {
    const { content } = options;
    this.pool = new SlotPool(options.poolBytes ?? 32 * megabyte);
    const lengths = options.lengths ?? content.lengths;
    this.client = new PullClient({
      peerId: options.peerId ?? targetId,
      pool: this.pool,
      connectTimeoutMilliseconds: 2_000,
      blockLengthBytes: (_fileSet, _order, block) => lengths[block],
      writeBlocks: async (run, bytes) => {
        this.writes.push(run);
        const bad: number[] = [];
        let offset = 0;
        for (let block = run.start; block < run.end; block += 1) {
          const length = lengths[block] ?? 0;
          const expected = (content.blocks[block] ?? new Uint8Array()).subarray(0, length);
          if (Buffer.compare(bytes.subarray(offset, offset + length), expected) !== 0) bad.push(block);
          offset += length;
        }
        await options.write?.(run, bytes);
        return { bad };
      },
      stored: (_laneId, run, bytes) => {
        this.stored.add(run.start, run.end);
        if (bytes !== undefined) this.pieces.set(run.start, bytes);
        this.#wake();
      },
      received: (lanes) => {
        for (const { laneId, receivedBytes, waiting } of lanes) this.progress.set(laneId, { receivedBytes, waiting });
        this.#wake();
      },
      reached: (_laneId, roundTripNanoseconds) => void this.roundTripsNanoseconds.push(roundTripNanoseconds),
      laneFailed: (laneId, kind, detail) => {
        this.failures.push({ laneId, kind, detail });
        this.#wake();
      },
      log: () => undefined,
    });
  }

  /** Resolves when `condition` holds; looked at whenever something happens. */
  until(condition: () => boolean, what: string = String(condition)): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (!condition()) return;
        clearTimeout(timer);
        clearInterval(interval);
        this.#waiters.delete(look);
        resolve();
      };
      const interval = setInterval(look, 20);
      const timer = setTimeout(() => {
        clearInterval(interval);
        this.#waiters.delete(look);
        reject(
          new Error(
            `it never happened: ${what}; failures ${JSON.stringify(this.failures)}; stored ${JSON.stringify(this.stored.toFlat().slice(0, 20))}`,
          ),
        );
      }, 20_000);
      this.#waiters.add(look);
      look();
    });
  }

  #wake(): void {
    for (const waiter of [...this.#waiters]) waiter();
  }
}

export interface TicketWish {
  readonly after?: readonly number[];
  readonly laneId?: number;
  readonly revision?: number;
  readonly use?: Ticket["use"];
  readonly peerId?: string;
  readonly holderId?: string;
  readonly order?: BlockOrderName;
  readonly ranges?: readonly number[];
  readonly rateBitsPerSecond?: number;
  readonly durationMilliseconds?: number;
}

export const unlimited = 100_000_000_000;

export function ticket(wish: TicketWish = {}): string {
  return encodeTicket({
    term: 1,
    laneId: wish.laneId ?? 1,
    revision: wish.revision ?? 1,
    use: wish.use ?? "fetch",
    holderId: wish.holderId ?? sourceId,
    peerId: wish.peerId ?? targetId,
    peerName: "a peer",
    ...(wish.after === undefined ? {} : { after: [...wish.after] }),
    portions: wish.ranges === undefined ? [] : [{ fileSet, order: wish.order ?? "content", ranges: [...wish.ranges] }],
    rateBitsPerSecond: wish.rateBitsPerSecond ?? unlimited,
    durationMilliseconds: wish.durationMilliseconds ?? 60_000,
    signature: "",
  });
}

/** A lane that pulls these ranges, opened and begun. */
export function pull(target: Target, source: Source, wish: TicketWish & { readonly ranges: readonly number[] }): void {
  const laneId = wish.laneId ?? 1;
  target.client.openLane({ laneId, address: source.address, rateBitsPerSecond: wish.rateBitsPerSecond ?? unlimited });
  target.client.pull(laneId, { fileSet, order: wish.order ?? "content", ranges: wish.ranges, ticket: ticket(wish) });
}

export class Publisher {
  readonly client: PushClient;
  readonly failures: { laneId: number; kind: FailureKind; detail: string }[] = [];

  constructor() {
    this.client = new PushClient({
      peerId: targetId,
      connectTimeoutMilliseconds: 2_000,
      laneFailed: (laneId, kind, detail) => void this.failures.push({ laneId, kind, detail }),
    });
  }
}

/** Runs with a source and a target, and checks afterwards that no memory is left in use. */
export async function withPair(
  sourceOptions: SourceOptions,
  run: (source: Source, target: Target) => Promise<void>,
  targetOptions: Partial<TargetOptions> = {},
): Promise<void> {
  const source = await new Source(sourceOptions).start();
  const target = new Target({ content: sourceOptions.content, ...targetOptions });
  try {
    await run(source, target);
  } finally {
    target.client.close();
    await source.stop();
  }
  await settled(
    () => source.sendPool.usedBytes === 0 && target.pool.usedBytes === 0,
    () => `slots were not given back: ${source.sendPool.usedBytes} ${target.pool.usedBytes}`,
  );
}

export async function settled(condition: () => boolean, problem: () => string): Promise<void> {
  for (let tries = 0; !condition(); tries += 1) {
    if (tries > 250) throw new Error(problem());
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
