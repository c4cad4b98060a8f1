/**
 * Reads what an assignment says of the manifest (claims 9, 24), checks it against its root, and the way back: what is
 * remembered of a file set over a restart.
 */
import { concatenateBytes } from "../../std/bytes.ts";
import { fromBase64, toBase64 } from "../../std/base64.ts";
import type { Hash } from "../../model/checksum.ts";
import { checksumLengthBytes, parseChecksum } from "../../model/checksum.ts";
import type { ManifestSummary } from "../../model/manifest-root.ts";
import { verifySummary } from "../../model/manifest-root.ts";
import type { Assign } from "../../protocol/controller-messages.ts";
import type { AssignedFileSet } from "./agent-document.ts";
import type { FileSetRecord } from "./file-set-record.ts";

export type Checked = { readonly summary: ManifestSummary } | { readonly problem: string };

/**
 * The summary that an assignment describes: checksums of the pieces before `firstPiece` are those that are known already.
 * @returns what is wrong with it, if it does not fit its root
 */
export function summaryOfAssign(hash: Hash, message: Assign, known: ManifestSummary | undefined): Checked {
  const knownChecksums = known?.pieceChecksums ?? new Uint8Array(0);
  const keptBytes = message.firstPiece * checksumLengthBytes;
  if (keptBytes > knownChecksums.length) return { problem: "earlier piece checksums of the manifest are not known" };
  let added: Uint8Array;
  try {
    added = fromBase64(message.pieceChecksums);
  } catch {
    return { problem: "the manifest's piece checksums cannot be read" };
  }
  return checkSummary(hash, {
    root: message.root,
    lengthBytes: message.manifestBytes,
    pieceBytes: message.pieceBytes,
    pieceChecksums: concatenateBytes([knownChecksums.subarray(0, keptBytes), added]),
  });
}

/** The summary of a file set that was remembered. */
export function summaryOfDocument(hash: Hash, assigned: AssignedFileSet): Checked {
  try {
    return checkSummary(hash, {
      root: assigned.root,
      lengthBytes: assigned.manifestBytes,
      pieceBytes: assigned.pieceBytes,
      pieceChecksums: fromBase64(assigned.pieceChecksums),
    });
  } catch {
    return { problem: "the manifest's piece checksums cannot be read" };
  }
}

/** What is to be remembered of a file set; undefined when there is nothing worth it. */
export function documentOf(record: FileSetRecord): AssignedFileSet | undefined {
  const { summary } = record.intake;
  if (record.phase.status === "deleting" || isRefused(record)) return undefined;
  return {
    fileSet: record.fileSet,
    sequence: record.sequence,
    wanted: record.wanted,
    algorithm: parseChecksum(summary.root).algorithm,
    root: summary.root,
    manifestBytes: summary.lengthBytes,
    pieceBytes: summary.pieceBytes,
    pieceChecksums: toBase64(summary.pieceChecksums),
    complete: record.complete,
  };
}

/** An assignment that could not be believed left nothing but its name. */
function isRefused({ phase, intake }: FileSetRecord): boolean {
  return phase.status === "stalled" && phase.retry === undefined && intake.summary.lengthBytes === 0;
}

function checkSummary(hash: Hash, summary: ManifestSummary): Checked {
  if (!verifySummary(hash, summary)) return { problem: "the manifest's piece checksums do not fit its root" };
  return { summary };
}
