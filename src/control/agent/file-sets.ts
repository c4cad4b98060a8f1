/**
 * The file sets of an agent: which there are, how their manifests come in, and what is held of each. Transitions stand in
 * file-set-steps.ts; here is the registry, the assignments, and what others ask of it.
 */
import { RangeSet } from "../../std/ranges.ts";
import type { Manifest } from "../../model/manifest.ts";
import type { ManifestSummary } from "../../model/manifest-root.ts";
import type { FileSetState } from "../../protocol/agent-messages.ts";
import type { Assign } from "../../protocol/controller-messages.ts";
import type { BlockOrderName, FileSetKey } from "../../protocol/parts.ts";
import { fromBase64 } from "../../std/base64.ts";
import type { AssignedFileSet } from "./agent-document.ts";
import type { StoredFileSet } from "./agent-events.ts";
import { documentOf, summaryOfAssign, summaryOfDocument } from "./assignment.ts";
import type { FileSetRecord } from "./file-set-record.ts";
import { manifestOf, newRecord, stateOf } from "./file-set-record.ts";
import type { StepWorld } from "./file-set-steps.ts";
import { breakRecord, decodeWhenReady, retry, storeManifestBytes, takeManifestBytes } from "./file-set-steps.ts";
import { maximumFileSets } from "./limits.ts";
import { extendsSummary, ManifestIntake } from "./manifest-intake.ts";

/** What became of a piece: `stale` is one that the manifest has outgrown meanwhile, `unknown` of no file set here. */
export type PieceOutcome = "taken" | "stale" | "unknown";

export class FileSets {
  readonly #world: StepWorld;
  readonly #records = new Map<FileSetKey, FileSetRecord>();
  /** Stored by an earlier life of which nothing is remembered: of use if assigned again. */
  readonly #orphans = new Map<FileSetKey, StoredFileSet>();

  constructor(world: StepWorld) {
    this.#world = world;
  }

  get(fileSet: FileSetKey): FileSetRecord | undefined {
    return this.#records.get(fileSet);
  }

  all(): Iterable<FileSetRecord> {
    return this.#records.values();
  }

  /** Takes up what was remembered and what the disk holds. What is stored and not remembered was being deleted. */
  start(assigned: readonly AssignedFileSet[] | undefined, stored: readonly StoredFileSet[]): void {
    const onDisk = new Map(stored.map((entry) => [entry.fileSet, entry]));
    for (const entry of assigned ?? []) {
      const found = onDisk.get(entry.fileSet);
      onDisk.delete(entry.fileSet);
      this.#restore(entry, found);
    }
    for (const [fileSet, entry] of onDisk) {
      if (assigned === undefined) this.#orphans.set(fileSet, entry);
      else this.#world.context.order({ type: "delete", fileSet });
    }
  }

  #restore(entry: AssignedFileSet, stored: StoredFileSet | undefined): void {
    const { context } = this.#world;
    const checked = summaryOfDocument(context.ports.hash, entry);
    if ("problem" in checked) {
      context.note("error", `${entry.fileSet} is forgotten: ${checked.problem}`);
      return;
    }
    const intake = new ManifestIntake(context.ports.hash, checked.summary);
    const record = newRecord(entry.fileSet, entry.sequence, entry.wanted, intake);
    record.complete = entry.complete;
    this.#records.set(entry.fileSet, record);
    this.#takeStored(record, stored);
    if (!entry.wanted && !entry.complete) this.remove(record);
  }

  /** What the disk has of a file set that is new here: its manifest as far as it verifies, and the blocks. */
  #takeStored(record: FileSetRecord, stored: StoredFileSet | undefined): void {
    if (stored === undefined) return;
    record.storedManifestBytes = stored.manifestBytes.length;
    record.undecoded.push(...record.intake.restore(stored.manifestBytes));
    if (record.intake.isWhole && record.storedManifestBytes !== record.intake.prefixBytes) {
      storeManifestBytes(this.#world, record, new Uint8Array(0));
    }
    decodeWhenReady(this.#world, record);
    const manifest = manifestOf(record);
    if (manifest !== undefined) record.held = stored.held.intersection(RangeSet.of(0, manifest.blockCount));
  }

  /** The agent's file set, or its extension (claims 9, 24). */
  assign(message: Assign): void {
    const { context } = this.#world;
    const known = this.#records.get(message.fileSet);
    if (known?.phase.status === "deleting") {
      known.phase = { status: "deleting", next: message };
      return;
    }
    if (known === undefined && this.#records.size >= maximumFileSets) {
      context.note(
        "error",
        `${message.fileSet} is refused: this agent has ${String(maximumFileSets)} file sets already`,
      );
      return;
    }
    const checked = summaryOfAssign(context.ports.hash, message, known?.intake.summary);
    if ("problem" in checked) this.#refuse(known, message, checked.problem);
    else if (known === undefined) this.#create(message, checked.summary);
    else this.#update(known, message, checked.summary);
  }

  #create(message: Assign, summary: ManifestSummary): void {
    const { context, reports } = this.#world;
    const record = newRecord(message.fileSet, message.sequence, true, new ManifestIntake(context.ports.hash, summary));
    this.#records.set(message.fileSet, record);
    context.documentChanged = true;
    reports.changed(message.fileSet);
    const stored = this.#orphans.get(message.fileSet);
    this.#orphans.delete(message.fileSet);
    this.#takeStored(record, stored);
    this.#takeTail(record, message);
  }

  #update(record: FileSetRecord, message: Assign, summary: ManifestSummary): void {
    const { context, reports } = this.#world;
    const { intake, phase } = record;
    const changed = summary.root !== intake.summary.root;
    const isBroken = phase.status === "stalled" && phase.retry === undefined;
    const canFollow = manifestOf(record)?.isComplete !== true && extendsSummary(intake.summary, summary);
    if (changed && (isBroken || message.sequence > record.sequence || !canFollow)) {
      // Another publication of the same name and version; or one whose manifest was not valid is put right.
      if (isBroken || message.sequence > record.sequence) this.remove(record, message);
      else context.note("warn", `${record.fileSet}: a manifest that is not what the one held grew to is not taken`);
      return;
    }
    const givenAnew = !record.wanted || record.sequence !== message.sequence;
    if (changed || givenAnew) context.documentChanged = true;
    record.wanted = true;
    record.sequence = message.sequence;
    if (changed) {
      intake.extend(summary);
      reports.touched(record.fileSet);
    }
    if (givenAnew) this.#reportAll(record);
    if (!isBroken) this.#takeTail(record, message);
  }

  /** The controller may know nothing of what is held of a file set that it gives anew: all of it is told again. */
  #reportAll({ fileSet, held, intake }: FileSetRecord): void {
    const { reports } = this.#world;
    for (const [start, end] of intake.held.ranges()) reports.addPieces(fileSet, start, end);
    for (const [start, end] of held.ranges()) reports.addBlocks(fileSet, start, end);
    reports.changed(fileSet);
  }

  /** An assignment that does not fit its own root: nothing of it is believed but that the controller means this file set. */
  #refuse(known: FileSetRecord | undefined, message: Assign, problem: string): void {
    let record = known;
    if (record === undefined) {
      const nothing = {
        root: message.root,
        lengthBytes: 0,
        pieceBytes: message.pieceBytes,
        pieceChecksums: new Uint8Array(0),
      };
      record = newRecord(
        message.fileSet,
        message.sequence,
        true,
        new ManifestIntake(this.#world.context.ports.hash, nothing),
      );
      this.#records.set(message.fileSet, record);
      breakRecord(this.#world, record, problem);
    } else {
      this.#world.context.note("error", `${message.fileSet}: an assignment is not taken: ${problem}`);
    }
  }

  #takeTail(record: FileSetRecord, message: Assign): void {
    if (message.tail === undefined) {
      if (record.phase.status === "manifest") decodeWhenReady(this.#world, record);
      return;
    }
    this.#take(record, () => record.intake.addTail(message.tail?.offset ?? 0, fromBase64(message.tail?.bytes ?? "")));
  }

  /** A piece of the manifest came in and was verified. */
  storedPiece(fileSet: FileSetKey, index: number, bytes: Uint8Array): PieceOutcome {
    const record = this.#records.get(fileSet);
    if (record === undefined || record.phase.status === "deleting") return "unknown";
    if (index >= record.intake.pieceCount) return "unknown";
    let outcome: PieceOutcome = "taken";
    this.#take(record, () => {
      const parts = record.intake.add(index, bytes);
      if (parts === undefined) outcome = "stale";
      return parts ?? [];
    });
    return outcome;
  }

  /** Lets the intake take something in, reports which pieces are new, and goes on with the bytes. */
  #take(record: FileSetRecord, step: () => Uint8Array[]): void {
    const before = record.intake.held.clone();
    try {
      const parts = step();
      const added = record.intake.held.difference(before);
      added.forEach((start, end) => this.#world.reports.addPieces(record.fileSet, start, end));
      takeManifestBytes(this.#world, record, parts);
    } catch (error) {
      breakRecord(this.#world, record, error instanceof Error ? error.message : "the manifest cannot be read");
    }
  }

  /** Deletes all that is held of a file set. `next`: what it is to be after that. */
  remove(record: FileSetRecord, next?: Assign): void {
    const { context, withdraw } = this.#world;
    if (record.phase.status === "deleting") return;
    withdraw(record.fileSet);
    record.phase = { status: "deleting", next };
    record.retryAtNanoseconds = undefined;
    context.documentChanged = true;
    context.order({ type: "delete", fileSet: record.fileSet });
  }

  deleted(fileSet: FileSetKey): void {
    const record = this.#records.get(fileSet);
    if (record?.phase.status !== "deleting") return;
    this.#records.delete(fileSet);
    this.#world.reports.deleted(fileSet);
    if (record.phase.next !== undefined) this.assign(record.phase.next);
  }

  /** Tries again what storage could not do before. */
  retryDue(): void {
    for (const record of this.#records.values()) {
      if (record.retryAtNanoseconds === undefined) continue;
      if (record.retryAtNanoseconds <= this.#world.context.nowNanoseconds) retry(this.#world, record);
    }
  }

  get wakeAtNanoseconds(): number | undefined {
    let wakeAt: number | undefined;
    for (const { retryAtNanoseconds } of this.#records.values()) {
      if (retryAtNanoseconds !== undefined) wakeAt = Math.min(retryAtNanoseconds, wakeAt ?? retryAtNanoseconds);
    }
    return wakeAt;
  }

  holding(fileSet: FileSetKey, order: BlockOrderName, block: number): "held" | "coming" | "absent" {
    const record = this.#records.get(fileSet);
    if (record === undefined || record.phase.status === "deleting") return "absent";
    // A piece that others before it are missing of is served from memory: who has different ones must not wait for each other.
    const isHeld = (order === "manifest" ? record.intake.held : record.held).has(block);
    if (isHeld) return "held";
    if (!record.wanted) return "absent";
    const manifest = manifestOf(record);
    const isKnownEnd = order === "content" && manifest?.isComplete === true;
    return isKnownEnd && block >= manifest.blockCount ? "absent" : "coming";
  }

  manifest(fileSet: FileSetKey): Manifest | undefined {
    const record = this.#records.get(fileSet);
    return record === undefined ? undefined : manifestOf(record);
  }

  /** Every file set's whole state. */
  states(): FileSetState[] {
    const states: FileSetState[] = [];
    for (const record of this.#records.values()) {
      const state = stateOf(record);
      if (state === undefined) continue;
      const manifest = record.intake.held.toFlat();
      states.push({ fileSet: record.fileSet, ...state, manifest, content: record.held.toFlat(), lost: [] });
    }
    return states;
  }

  documents(): AssignedFileSet[] {
    return [...this.#records.values()].flatMap((record) => documentOf(record) ?? []);
  }
}
