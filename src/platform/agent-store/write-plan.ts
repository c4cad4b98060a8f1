/**
 * Which blocks go where: from a list of blocks to the files that a job of the writing thread fills, and from its answer
 * to what is held. Blocks of a growing file that are not next in line go to files of their own.
 */
import { RangeSet } from "../../std/ranges.ts";
import { checksumLengthBytes } from "../../model/checksum.ts";
import type { FileEntry, Manifest } from "../../model/manifest.ts";
import type { JobBlocks, WriteResult, WriteTarget } from "./disk-jobs.ts";
import type { FileSetState } from "./file-set-state.ts";
import { isSameStamp, stampAt } from "./file-stamps.ts";

const ownerReadWrite = 0o600;

interface PlannedTarget extends WriteTarget {
  readonly blocks: number[];
  readonly offsets: number[];
  readonly file: FileEntry;
  readonly isWaiting: boolean;
}

export interface WritePlan {
  readonly targets: readonly PlannedTarget[];
}

/** What came of a job. */
export interface WriteOutcome {
  readonly stored: RangeSet;
  /** Places in the list of blocks: good, but not written, since a bad one stood before them in a growing file. */
  readonly leftOver: readonly number[];
  /** Blocks of files that others had touched or removed. */
  readonly lost: RangeSet;
}

/** Checksums and lengths of `blocks`, for a job. */
export function describeBlocks(manifest: Manifest, blocks: readonly number[]): JobBlocks {
  const checksums = new Uint8Array(blocks.length * checksumLengthBytes);
  const lengths = blocks.map((block, place) => {
    checksums.set(manifest.blockChecksum(block), place * checksumLengthBytes);
    return manifest.blockLengthBytes(block);
  });
  return { algorithm: manifest.algorithm, lengths, checksums };
}

/** `blocks`: rising. Those that a growing file has already are left out. */
export function planWrites(state: FileSetState, blocks: readonly number[]): WritePlan {
  const manifest = state.needManifest();
  const targets: PlannedTarget[] = [];
  const byFile = new Map<number, PlannedTarget>();
  const nextBlocks = new Map<number, number>();
  for (const [place, block] of blocks.entries()) {
    const file = manifest.files[manifest.blockFile(block)];
    if (file === undefined) continue;
    if (state.isAppended(file)) {
      const growth = state.growthOf(file);
      const next = nextBlocks.get(file.index) ?? growth.nextBlock;
      if (block < growth.nextBlock && !growth.broken) continue;
      if (block !== next || growth.broken) {
        targets.push(waitingTarget(state, file, block, place, manifest));
        continue;
      }
      nextBlocks.set(file.index, block + 1);
    }
    let target = byFile.get(file.index);
    if (target === undefined) {
      target = fileTarget(state, file);
      byFile.set(file.index, target);
      targets.push(target);
    }
    target.blocks.push(place);
    target.offsets.push(manifest.blockOffsetBytes(block));
  }
  return { targets: targets.map((target) => closeWhole(target)) };
}

function fileTarget(state: FileSetState, file: FileEntry): PlannedTarget {
  const sequential = state.isAppended(file);
  return {
    path: state.filePath(file),
    lengthBytes: sequential ? undefined : file.lengthBytes,
    modifiedMilliseconds: file.modifiedMilliseconds,
    mode: file.growing ? file.mode | ownerReadWrite : ownerReadWrite,
    wholeMode: undefined,
    sequential,
    blocks: [],
    offsets: [],
    file,
    isWaiting: false,
  };
}

function waitingTarget(
  state: FileSetState,
  file: FileEntry,
  block: number,
  place: number,
  manifest: Manifest,
): PlannedTarget {
  return {
    path: state.waitingPath(file, block),
    lengthBytes: manifest.blockLengthBytes(block),
    modifiedMilliseconds: file.modifiedMilliseconds,
    mode: ownerReadWrite,
    wholeMode: ownerReadWrite,
    sequential: false,
    blocks: [place],
    offsets: [0],
    file,
    isWaiting: true,
  };
}

/** A file that is written as a whole gets its mode at once, unless its owner could not read it then. */
function closeWhole(target: PlannedTarget): PlannedTarget {
  const { file } = target;
  const isWhole = !file.growing && target.blocks.length * file.blockBytes >= file.lengthBytes;
  if (!isWhole) return target;
  return { ...target, wholeMode: (file.mode & 0o400) === 0 ? ownerReadWrite : file.mode };
}

/** Takes the answer of a WriteJob or CopyJob over into the state; nothing is added to what is held yet. */
export function takeWritten(
  state: FileSetState,
  blocks: readonly number[],
  plan: WritePlan,
  result: WriteResult,
): WriteOutcome {
  const bad = new Set(result.bad);
  const stored = new RangeSet();
  const leftOver: number[] = [];
  const lost = new RangeSet();
  for (const [index, target] of plan.targets.entries()) {
    let stopped = false;
    for (const place of target.blocks) {
      const block = blocks[place] ?? 0;
      if (bad.has(place)) {
        stopped = target.sequential;
        continue;
      }
      if (stopped) {
        leftOver.push(place);
        continue;
      }
      stored.add(block, block + 1);
      if (target.isWaiting) state.growthOf(target.file).waiting.add(block, block + 1);
      else if (target.sequential) state.growthOf(target.file).nextBlock = block + 1;
    }
    const stamp = stampAt(result.stamps, index);
    if (target.isWaiting || Number.isNaN(stamp.inode)) continue;
    const expected = state.stamps.get(target.file.index);
    // It was not as this store had left it: what it held must be hashed again.
    const wasTouched = expected !== undefined && !isSameStamp(expected, stampAt(result.before, index));
    if (wasTouched) lost.addAll(heldOf(state, target.file));
    state.stamps.set(target.file.index, stamp);
  }
  lost.removeAll(stored);
  return { stored, leftOver, lost };
}

/** The held blocks of a file, those in files of their own left out. */
export function heldOf(state: FileSetState, file: FileEntry): RangeSet {
  const blocks = RangeSet.of(file.firstBlock, file.firstBlock + file.blockCount).intersection(state.held);
  if (file.growing) blocks.removeAll(state.growthOf(file).waiting);
  return blocks;
}

export function filesOfPlan(plan: WritePlan): Set<number> {
  return new Set(plan.targets.map((target) => target.file.index));
}

/** Targets without what the thread need not know. */
export function plainTargets(plan: WritePlan): readonly WriteTarget[] {
  return plan.targets.map(({ file: _file, isWaiting: _isWaiting, ...target }) => target);
}
