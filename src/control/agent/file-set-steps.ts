/**
 * The transitions of one file set: manifest -> preparing -> fetching -> finishing -> held, with stalled and deleting
 * beside them. Each function takes an event or a fact, moves the record, orders what follows and notes what to report.
 */
import { concatenateBytes } from "../../std/bytes.ts";
import { UserError } from "../../std/errors.ts";
import { RangeSet } from "../../std/ranges.ts";
import { Manifest } from "../../model/manifest.ts";
import type { FileSetKey } from "../../protocol/parts.ts";
import { maximumTextLength } from "../../protocol/limits.ts";
import type { AgentContext } from "./context.ts";
import { forEachDuplicate } from "./duplicates.ts";
import type { FileSetRecord, Preparation } from "./file-set-record.ts";
import { manifestOf, preparationOf } from "./file-set-record.ts";
import { longestRetryNanoseconds, shortestRetryNanoseconds } from "./limits.ts";
import type { Reports } from "./reports.ts";

/** What the transitions act on beside the record. */
export interface StepWorld {
  readonly context: AgentContext;
  readonly reports: Reports;
  /** What lanes have yet to bring of this file set is not wanted any more. */
  readonly withdraw: (fileSet: FileSetKey) => void;
  /** This agent's own disk failed. */
  readonly diskFailed: (fileSet: FileSetKey, problem: string) => void;
  /** Whether a version is held has changed: activation may have to follow. */
  readonly heldChanged: (name: string) => void;
}

/** Takes bytes that now follow the prefix of the manifest: stores them, and decodes as soon as that is of use. */
export function takeManifestBytes(world: StepWorld, record: FileSetRecord, parts: readonly Uint8Array[]): void {
  if (parts.length > 0) {
    const bytes = joined(parts);
    const manifest = manifestOf(record);
    if (manifest === undefined) record.undecoded.push(bytes);
    storeManifestBytes(world, record, bytes);
    if (manifest !== undefined) growManifest(world, record, manifest, bytes);
  }
  if (record.phase.status === "manifest") decodeWhenReady(world, record);
}

/** Stores bytes that now follow the prefix, or all of it where what is stored is not what is believed. */
export function storeManifestBytes(world: StepWorld, record: FileSetRecord, added: Uint8Array): void {
  const { fileSet, intake } = record;
  let offset = intake.prefixBytes - added.length;
  let bytes = added;
  if (record.storedManifestBytes !== offset) {
    // After a restart less (or more) was believed than is stored: it is stored anew from its start.
    offset = 0;
    bytes = joined(record.undecoded);
  }
  record.storedManifestBytes = offset + bytes.length;
  world.context.order({ type: "storeManifest", fileSet, offset, bytes });
}

/** Decodes the manifest once it is whole (one that grows: as far as its root goes). */
export function decodeWhenReady(world: StepWorld, record: FileSetRecord): void {
  const { intake } = record;
  if (intake.prefixBytes === 0 || !intake.isWhole) return;
  const { root } = intake.summary;
  const shared = world.context.ports.sharedManifests;
  let manifest = shared?.get(root);
  if (manifest === undefined) {
    try {
      manifest = Manifest.decode(joined(record.undecoded));
    } catch (error) {
      breakRecord(world, record, problemOf(error));
      return;
    }
    if (manifest.isComplete) shared?.set(root, manifest);
  }
  record.undecoded = [];
  startPreparing(world, record, manifest);
}

function growManifest(world: StepWorld, record: FileSetRecord, manifest: Manifest, bytes: Uint8Array): void {
  const blocksBefore = manifest.blockCount;
  const filesBefore = manifest.files.length;
  try {
    manifest.append(bytes);
  } catch (error) {
    breakRecord(world, record, problemOf(error));
    return;
  }
  if (manifest.blockCount > blocksBefore || manifest.files.length > filesBefore) prepareAgain(world, record);
  finishIfWhole(world, record);
}

/** Nothing but a new assignment can help: a manifest that is not valid. */
export function breakRecord(world: StepWorld, record: FileSetRecord, problem: string): void {
  world.withdraw(record.fileSet);
  record.undecoded = [];
  record.phase = { status: "stalled", manifest: undefined, problem, retry: undefined };
  world.context.note("error", `${record.fileSet}: ${problem}`, record.fileSet);
  world.reports.changed(record.fileSet);
}

export function startPreparing(world: StepWorld, record: FileSetRecord, manifest: Manifest): void {
  record.phase = { status: "preparing", manifest, preparation: newPreparation() };
  world.context.order({ type: "prepare", fileSet: record.fileSet, manifest });
  world.reports.changed(record.fileSet);
}

/** What is stored must be looked through (again): the manifest has grown, or something was lost. */
function prepareAgain(world: StepWorld, record: FileSetRecord): void {
  const { phase } = record;
  if (phase.status === "finishing" || phase.status === "held") {
    startPreparing(world, record, phase.manifest);
  } else if (phase.status === "preparing") {
    phase.preparation.again = true;
  } else if (phase.status === "fetching") {
    if (phase.preparation !== undefined) phase.preparation.again = true;
    else {
      phase.preparation = newPreparation();
      world.context.order({ type: "prepare", fileSet: record.fileSet, manifest: phase.manifest });
    }
  }
}

/** The answer to `prepare`: the state is what the file set requires less what is there (claims 10, 11, 12). */
export function prepared(world: StepWorld, record: FileSetRecord, found: RangeSet): void {
  const { phase } = record;
  const preparation = preparationOf(record);
  const manifest = manifestOf(record);
  if (preparation === undefined || manifest === undefined) return;
  const held = found.union(preparation.storedSince).intersection(RangeSet.of(0, manifest.blockCount));
  const lost = record.held.difference(held);
  held.difference(record.held).forEach((start, end) => world.reports.addBlocks(record.fileSet, start, end));
  if (!lost.isEmpty) world.reports.loseBlocks(record.fileSet, lost);
  record.held = held;
  let next: Preparation | undefined;
  if (preparation.again) {
    next = newPreparation();
    world.context.order({ type: "prepare", fileSet: record.fileSet, manifest });
  }
  record.phase = { status: "fetching", manifest, preparation: next };
  if (phase.status !== "fetching") world.reports.changed(record.fileSet);
  if (record.complete && isWhole(record)) becomeHeld(world, record, manifest);
  else {
    markIncomplete(world, record);
    finishIfWhole(world, record);
  }
}

/** Blocks start..end - 1 are verified and written; so are their duplicates. */
export function storedBlocks(world: StepWorld, record: FileSetRecord, start: number, end: number): void {
  const manifest = manifestOf(record);
  if (manifest === undefined || start >= Math.min(end, manifest.blockCount)) return;
  const preparation = preparationOf(record);
  const add = (from: number, to: number) => {
    record.held.add(from, to);
    preparation?.storedSince.add(from, to);
    world.reports.addBlocks(record.fileSet, from, to);
  };
  const until = Math.min(end, manifest.blockCount);
  if (!record.held.hasRange(start, until)) add(start, until);
  forEachDuplicate(manifest, start, until, (block) => {
    if (!record.held.has(block)) add(block, block + 1);
  });
  if (record.phase.status !== "stalled") record.storeFailures = 0;
  finishIfWhole(world, record);
}

/** When nothing is needed any more (claim 19), makes it durable. */
function finishIfWhole(world: StepWorld, record: FileSetRecord): void {
  const { phase } = record;
  if (phase.status !== "fetching" || phase.preparation !== undefined || !isWhole(record)) return;
  record.phase = { status: "finishing", manifest: phase.manifest };
  world.context.order({ type: "finish", fileSet: record.fileSet });
  world.reports.changed(record.fileSet);
}

export function finished(world: StepWorld, record: FileSetRecord): void {
  if (record.phase.status === "finishing") becomeHeld(world, record, record.phase.manifest);
}

function becomeHeld(world: StepWorld, record: FileSetRecord, manifest: Manifest): void {
  record.phase = { status: "held", manifest };
  record.storeFailures = 0;
  if (!record.complete) {
    record.complete = true;
    world.context.documentChanged = true;
  }
  world.reports.changed(record.fileSet);
  world.heldChanged(record.name);
}

/** Blocks are not held any more: they are needed again, and another look may find them elsewhere on this disk. */
export function lostBlocks(world: StepWorld, record: FileSetRecord, blocks: RangeSet): void {
  const lost = record.held.intersection(blocks);
  if (lost.isEmpty) return;
  record.held.removeAll(lost);
  preparationOf(record)?.storedSince.removeAll(lost);
  markIncomplete(world, record);
  world.reports.loseBlocks(record.fileSet, lost);
  prepareAgain(world, record);
}

function markIncomplete(world: StepWorld, record: FileSetRecord): void {
  if (!record.complete) return;
  record.complete = false;
  world.context.documentChanged = true;
}

/** Storage failed (a full disk, say): the file set stalls, and is tried again after a growing pause. */
export function storeFailed(world: StepWorld, record: FileSetRecord, problem: string): void {
  const { phase } = record;
  const text = problem.slice(0, maximumTextLength);
  record.storeFailures += 1;
  scheduleRetry(world, record);
  if (phase.status === "deleting") {
    world.context.note("warn", `${record.fileSet} cannot be deleted: ${text}`, record.fileSet);
    return;
  }
  world.withdraw(record.fileSet);
  const retry = retryOf(record);
  record.phase = { status: "stalled", manifest: manifestOf(record), problem: text, retry };
  if (record.storeFailures === 1) world.diskFailed(record.fileSet, text);
  world.context.note("error", `${record.fileSet} stalls: ${text}`, record.fileSet);
  world.reports.changed(record.fileSet);
}

function retryOf(record: FileSetRecord): "manifest" | "prepare" | "finish" | undefined {
  const { phase } = record;
  if (phase.status === "stalled") return phase.retry;
  if (phase.status === "finishing") return "finish";
  return manifestOf(record) === undefined ? "manifest" : "prepare";
}

function scheduleRetry(world: StepWorld, record: FileSetRecord): void {
  const pause = Math.min(
    longestRetryNanoseconds,
    shortestRetryNanoseconds * 2 ** Math.min(record.storeFailures - 1, 20),
  );
  record.retryAtNanoseconds = world.context.nowNanoseconds + pause;
}

/** The pause after a failure of storage is over. */
export function retry(world: StepWorld, record: FileSetRecord): void {
  record.retryAtNanoseconds = undefined;
  const { phase } = record;
  if (phase.status === "deleting") {
    world.context.order({ type: "delete", fileSet: record.fileSet });
  } else if (phase.status === "stalled" && phase.retry === "manifest") {
    record.phase = { status: "manifest" };
    world.reports.changed(record.fileSet);
    decodeWhenReady(world, record);
  } else if (phase.status === "stalled" && phase.manifest !== undefined) {
    if (phase.retry === "prepare" || !isWholeOf(record, phase.manifest)) {
      startPreparing(world, record, phase.manifest);
    } else {
      record.phase = { status: "finishing", manifest: phase.manifest };
      world.context.order({ type: "finish", fileSet: record.fileSet });
      world.reports.changed(record.fileSet);
    }
  }
}

/** Whether nothing is needed any more and nothing can follow. */
export function isWhole(record: FileSetRecord): boolean {
  const manifest = manifestOf(record);
  return manifest !== undefined && isWholeOf(record, manifest);
}

function isWholeOf(record: FileSetRecord, manifest: Manifest): boolean {
  return manifest.isComplete && record.intake.isWhole && record.held.count === manifest.blockCount;
}

function newPreparation(): Preparation {
  return { storedSince: new RangeSet(), again: false };
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts;
  return parts.length === 1 && first !== undefined ? first : concatenateBytes(parts);
}

function problemOf(error: unknown): string {
  if (error instanceof UserError || error instanceof RangeError) return error.message.slice(0, maximumTextLength);
  throw error;
}
