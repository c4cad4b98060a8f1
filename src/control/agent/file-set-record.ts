/** One file set as an agent knows it: what it was told of it, what it holds, and which phase it is in. */
import { RangeSet } from "../../std/ranges.ts";
import type { Manifest } from "../../model/manifest.ts";
import type { FileSetState } from "../../protocol/agent-messages.ts";
import type { Assign } from "../../protocol/controller-messages.ts";
import type { FileSetKey } from "../../protocol/parts.ts";
import type { ManifestIntake } from "./manifest-intake.ts";

/** A `prepare` that is under way. Blocks stored meanwhile are not in its answer; `again`: it has to be repeated. */
export interface Preparation {
  readonly storedSince: RangeSet;
  again: boolean;
}

/** The phases, named as reports name them; `deleting` is reported as nothing. */
export type Phase =
  | { readonly status: "manifest" }
  | { readonly status: "preparing"; readonly manifest: Manifest; readonly preparation: Preparation }
  /** `preparation`: the manifest has grown, and what is stored already is looked through for the new part. */
  | { readonly status: "fetching"; readonly manifest: Manifest; preparation: Preparation | undefined }
  | { readonly status: "finishing"; readonly manifest: Manifest }
  | { readonly status: "held"; readonly manifest: Manifest }
  /** `retry`: what is tried again at `FileSetRecord.retryAtNanoseconds`; undefined: only the controller can help. */
  | {
      readonly status: "stalled";
      readonly manifest: Manifest | undefined;
      readonly problem: string;
      readonly retry: "manifest" | "prepare" | "finish" | undefined;
    }
  /** `next`: the same name and version was assigned anew meanwhile. */
  | { readonly status: "deleting"; readonly next: Assign | undefined };

export interface FileSetRecord {
  readonly fileSet: FileSetKey;
  readonly name: string;
  readonly version: string;
  sequence: number;
  wanted: boolean;
  intake: ManifestIntake;
  /** Bytes of the manifest that are on the disk, or on their way there. */
  storedManifestBytes: number;
  /** Bytes of the manifest that came in before it could be decoded. */
  undecoded: Uint8Array[];
  /** Content blocks that are held. */
  held: RangeSet;
  /** All of it was held, verified and durable, and nothing was lost since. */
  complete: boolean;
  phase: Phase;
  /** Failures of storage in a row. */
  storeFailures: number;
  retryAtNanoseconds: number | undefined;
}

export function newRecord(
  fileSet: FileSetKey,
  sequence: number,
  wanted: boolean,
  intake: ManifestIntake,
): FileSetRecord {
  const { name, version } = splitKey(fileSet);
  return {
    fileSet,
    name,
    version,
    sequence,
    wanted,
    intake,
    storedManifestBytes: 0,
    undecoded: [],
    held: new RangeSet(),
    complete: false,
    phase: { status: "manifest" },
    storeFailures: 0,
    retryAtNanoseconds: undefined,
  };
}

/** The manifest as far as it is decoded. */
export function manifestOf(record: FileSetRecord): Manifest | undefined {
  return "manifest" in record.phase ? record.phase.manifest : undefined;
}

export function preparationOf(record: FileSetRecord): Preparation | undefined {
  return "preparation" in record.phase ? record.phase.preparation : undefined;
}

/**
 * What a report says of it beside ranges; undefined while it is being deleted. The root that is reported is one whose
 * manifest is whole here, or the status says that pieces of it are needed.
 */
export function stateOf(record: FileSetRecord): FileSetSummary | undefined {
  const { phase, sequence } = record;
  const { root } = record.intake.summary;
  if (phase.status === "deleting") return undefined;
  if (phase.status === "stalled") return { sequence, root, status: phase.status, problem: phase.problem };
  return { sequence, root, status: record.intake.isWhole ? phase.status : "manifest" };
}

export type FileSetSummary = Pick<FileSetState, "sequence" | "root" | "status" | "problem">;

/** NAME@VERSION, taken apart. */
export function splitKey(fileSet: FileSetKey): { name: string; version: string } {
  const at = fileSet.indexOf("@");
  return { name: fileSet.slice(0, at), version: fileSet.slice(at + 1) };
}
