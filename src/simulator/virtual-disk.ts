/**
 * What one simulated agent's disk holds, and what a restart finds there. Nothing is stored but which blocks there are: the
 * bytes of manifests and the checksums of blocks are the world's (virtual-content.ts).
 *
 * It is the truth that the agent's own thinking is checked against: only what came in verified gets here.
 */
import { forEachDuplicate } from "../control/agent/duplicates.ts";
import type { AgentDocument } from "../control/agent/agent-document.ts";
import type { StoredFileSet } from "../control/agent/agent-events.ts";
import type { Manifest } from "../model/manifest.ts";
import type { BlockOrderName } from "../protocol/parts.ts";
import { RangeSet } from "../std/ranges.ts";
import type { VirtualContent } from "./virtual-content.ts";

interface DiskFileSet {
  /** Bytes of the manifest that are stored, from its start. */
  manifestBytes: number;
  /** Pieces of the manifest that came in whole, beyond those bytes; only in memory. */
  readonly pieces: RangeSet;
  readonly held: RangeSet;
}

export class VirtualDisk {
  readonly agentId: string;
  document: AgentDocument | undefined;
  /** Versions that `current` points to, by name. */
  readonly current = new Map<string, string>();
  readonly #contents: ReadonlyMap<string, VirtualContent>;
  readonly #fileSets = new Map<string, DiskFileSet>();
  /** What it has of a file set before it ever hears of it. */
  readonly #given = new Map<string, RangeSet | "produced">();

  constructor(agentId: string, contents: ReadonlyMap<string, VirtualContent>) {
    this.agentId = agentId;
    this.#contents = contents;
  }

  /** Puts blocks there from the start; `produced`: all that there are of it at any time. */
  give(key: string, blocks: RangeSet | "produced"): void {
    this.#given.set(key, blocks);
  }

  /** Whether all that there is of a file set, at any time, is here by itself. */
  producesAll(key: string): boolean {
    return this.#given.get(key) === "produced";
  }

  held(key: string): RangeSet | undefined {
    return this.#fileSets.get(key)?.held;
  }

  manifestBytes(key: string): number {
    return this.#fileSets.get(key)?.manifestBytes ?? 0;
  }

  /** Whether a block, or the bytes of a piece of the manifest up to `manifestEnd`, are there. */
  has(key: string, order: BlockOrderName, block: number, manifestEnd: number): boolean {
    const fileSet = this.#fileSets.get(key);
    if (fileSet === undefined) return false;
    if (order === "content") return fileSet.held.has(block);
    return fileSet.manifestBytes >= manifestEnd || fileSet.pieces.has(block);
  }

  /** Whether all of the file set is there, and it has stopped growing. */
  isWhole(key: string): boolean {
    const content = this.#contents.get(key);
    const fileSet = this.#fileSets.get(key);
    if (content === undefined || fileSet === undefined || !content.isComplete) return false;
    return fileSet.held.count === content.finalBlockCount && fileSet.manifestBytes === content.manifest.logBytes;
  }

  /** @returns false when the bytes do not follow what is stored */
  storeManifest(key: string, offset: number, lengthBytes: number): boolean {
    const fileSet = this.#open(key);
    if (offset !== fileSet.manifestBytes) return false;
    fileSet.manifestBytes += lengthBytes;
    return true;
  }

  /** @param isWhole not the last piece of a manifest that may grow */
  storePiece(key: string, piece: number, isWhole: boolean): void {
    if (isWhole) this.#open(key).pieces.add(piece, piece + 1);
  }

  /** Writes a verified block and every block of the file set that is equal to it. @returns the blocks that are new, undefined when the file set is not there (deleted) */
  store(key: string, block: number): number | undefined {
    const fileSet = this.#fileSets.get(key);
    const content = this.#contents.get(key);
    if (fileSet === undefined || content === undefined) return undefined;
    const before = fileSet.held.count;
    fileSet.held.add(block, block + 1);
    forEachDuplicate(content.manifest, block, block + 1, (later) => fileSet.held.add(later, later + 1));
    return fileSet.held.count - before;
  }

  /** Looks through what is there for a manifest, and copies what other file sets have. @returns the blocks that are held */
  prepare(key: string, manifest: Manifest): RangeSet {
    const isNew = this.#fileSets.get(key) === undefined;
    const { held } = this.#open(key);
    const given = this.#given.get(key);
    const produced = this.#contents.get(key)?.manifest.blockCount ?? 0;
    if (given === "produced") held.add(0, Math.min(manifest.blockCount, produced));
    else if (given !== undefined) held.addAll(given.intersection(RangeSet.of(0, manifest.blockCount)));
    if (isNew || given === undefined) this.#copyFromOthers(key, manifest, held);
    const found = held.intersection(RangeSet.of(0, manifest.blockCount));
    found.forEach((start, end) => {
      forEachDuplicate(manifest, start, end, (later) => held.add(later, later + 1));
    });
    return held.intersection(RangeSet.of(0, manifest.blockCount));
  }

  discard(key: string, blocks: RangeSet): void {
    this.#fileSets.get(key)?.held.removeAll(blocks);
  }

  delete(key: string): void {
    this.#fileSets.delete(key);
    this.#given.delete(key);
  }

  /** What a start finds. */
  restart(): StoredFileSet[] {
    return [...this.#fileSets].map(([key, fileSet]) => {
      fileSet.pieces.clear();
      const log = this.#contents.get(key)?.manifestLog ?? new Uint8Array(0);
      return { fileSet: key, manifestBytes: log.subarray(0, fileSet.manifestBytes), held: fileSet.held.clone() };
    });
  }

  #open(key: string): DiskFileSet {
    let fileSet = this.#fileSets.get(key);
    if (fileSet === undefined) {
      fileSet = { manifestBytes: 0, pieces: new RangeSet(), held: new RangeSet() };
      this.#fileSets.set(key, fileSet);
    }
    return fileSet;
  }

  #copyFromOthers(key: string, manifest: Manifest, held: RangeSet): void {
    const shared = this.#contents.get(key)?.spec.content;
    if (shared === undefined) return;
    for (const [otherKey, other] of this.#fileSets) {
      const content = this.#contents.get(otherKey);
      if (otherKey === key || content === undefined || content.spec.content !== shared) continue;
      for (let block = 0; block < manifest.blockCount; block += 1) {
        const twin = content.blockLike(manifest.blockChecksum(block), manifest.blockLengthBytes(block));
        if (twin !== undefined && other.held.has(twin)) held.add(block, block + 1);
      }
    }
  }
}
