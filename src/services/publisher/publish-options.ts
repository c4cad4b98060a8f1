/** What a publish is given and gives back, and what its ways (a tree, or something that grows) share. */
import { randomBytes } from "node:crypto";
import type { Readable } from "node:stream";
import { toHex } from "../../std/hex.ts";
import { canHash, preferredChecksumAlgorithm } from "../../platform/hashing.ts";
import type { HashWorkerPool } from "../../platform/hash-worker-pool.ts";
import type { WorkerThread } from "../../platform/worker-thread.ts";
import type { ChecksumAlgorithm } from "../../model/checksum.ts";
import { manifestPieceBytes } from "../../model/limits.ts";
import type { Manifest } from "../../model/manifest.ts";
import { manifestPieceBytesFor } from "../../model/manifest-root.ts";
import type { Rejected } from "../../protocol/publisher-messages.ts";
import type { PublishOutcome, PublishRequest } from "../../control/publisher/publisher-events.ts";
import { unreachableError, type BaseManifest, type ControllerApi } from "./controller-api.ts";
import type { FollowEnd } from "./growing-source.ts";
import { PublishError, type PublishErrorKind } from "./publish-error.ts";
import type { SourceJobs } from "./source-jobs.ts";

/** What is published. */
export type PublishSource =
  | { readonly kind: "tree"; readonly path: string }
  /** Published while it grows, as a file of this name. */
  | { readonly kind: "stream"; readonly stream: Readable; readonly fileName: string }
  /** A file that another process writes; under its own name unless another is given. */
  | { readonly kind: "follow"; readonly path: string; readonly fileName: string | undefined; readonly end: FollowEnd };

/** Where a publish is, for showing. */
export type PublishProgress =
  | { readonly stage: "scanning" }
  | { readonly stage: "hashing"; readonly doneBytes: number; readonly totalBytes: number }
  | { readonly stage: "connecting"; readonly problem: string }
  /** `totalBytes` undefined: it grows, and this is not known. */
  | { readonly stage: "handingOver"; readonly doneBytes: number; readonly totalBytes: number | undefined };

export interface PublishOptions {
  readonly url: string;
  readonly name: string;
  readonly version: string;
  readonly selector: string;
  readonly priority: number;
  readonly site?: string;
  readonly agent?: string;
  readonly activate: boolean;
  readonly source: PublishSource;
  /** How long a controller that does not answer is tried. */
  readonly patienceMilliseconds: number;
  readonly onProgress?: (progress: PublishProgress) => void;
  /** Stops the publish; its reason is an Error whose message is told. */
  readonly signal: AbortSignal;
}

export interface PublishResult {
  readonly fileSet: string;
  /** already: the version existed with this very content. */
  readonly outcome: "committed" | "already";
  readonly root: string;
  readonly files: number;
  readonly blocks: number;
  readonly bytes: number;
  /** How long scanning and hashing took; of what grows: 0. */
  readonly hashedSeconds: number;
  /** Whole milliseconds since 1970; undefined: nothing had to be handed over. */
  readonly handOverStartedAtMilliseconds: number | undefined;
  readonly committedAtMilliseconds: number;
  /** The content is the same, its modification times are not: those of the first publish stay. */
  readonly onlyTimesDiffer: boolean;
}

/** What the ways of publishing share. */
export interface PublishContext {
  readonly options: PublishOptions;
  readonly api: ControllerApi;
  readonly pool: HashWorkerPool;
  readonly thread: WorkerThread<SourceJobs>;
}

/** The request to the controller, but for what depends on the content. */
export function requestOf(
  options: PublishOptions,
  content: Pick<PublishRequest, "growing" | "algorithm" | "pieceBytes">,
): PublishRequest {
  const { name, version, selector, priority, site, agent, activate } = options;
  return {
    publishId: toHex(randomBytes(16)),
    name,
    version,
    selector,
    priority,
    activate,
    ...(site === undefined ? {} : { site }),
    ...(agent === undefined ? {} : { agent }),
    ...content,
  };
}

/** Which checksums a new version gets: those of the version before it, so that the two can be compared. */
export function algorithmAfter(base: BaseManifest | undefined): ChecksumAlgorithm {
  const before = base?.manifest.algorithm;
  return before !== undefined && canHash(before) ? before : preferredChecksumAlgorithm();
}

/** How a manifest is cut into pieces, which its root depends on: one that grew was cut before its length was known. */
export function pieceBytesOf(manifest: Manifest, lengthBytes: number): number {
  return manifest.files.some((file) => file.growing) ? manifestPieceBytes : manifestPieceBytesFor(lengthBytes);
}

/** The version exists with other content; `path` is where it differs. */
export function conflictError({ name, version }: PublishOptions, path: string): PublishError {
  return new PublishError(
    "conflict",
    `${name}@${version} exists already with other content (${JSON.stringify(path)} differs)`,
    { hint: "publish under another version, or remove this one first: sluice fileset rm" },
  );
}

const rejectionKinds: Readonly<Partial<Record<Rejected["code"], PublishErrorKind>>> = {
  exists: "conflict",
  busy: "conflict",
};

/** Throws what an unhappy outcome means. */
export function checkOutcome(outcome: PublishOutcome, options: PublishOptions): "committed" | "already" {
  if (outcome.kind === "committed" || outcome.kind === "already") return outcome.kind;
  if (outcome.kind === "unreachable") throw unreachableError(options.url, outcome.reason);
  const kind = outcome.kind === "rejected" ? rejectionKinds[outcome.code] : undefined;
  throw new PublishError(kind ?? "failed", outcome.reason);
}
