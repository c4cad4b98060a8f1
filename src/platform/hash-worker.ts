/** The thread of HashWorkerPool: reads parts of files and hashes them block by block. */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { checksumLengthBytes } from "../model/checksum-length.ts";
import type { HashJobs, HashPartJob, HashPartResult } from "./hash-worker-pool.ts";
import { hash } from "./hashing.ts";
import { serveJobs } from "./worker-thread.ts";

let scratch = new Uint8Array(0);

function hashPart(job: HashPartJob): HashPartResult {
  const descriptor = openSync(job.path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const before = fstatSync(descriptor);
    if (!before.isFile()) throw Object.assign(new Error(`${job.path} is not a plain file`), { code: "EINVAL" });
    const end = Math.min(before.size, job.offsetBytes + job.lengthBytes);
    const lengthBytes = Math.max(0, end - job.offsetBytes);
    const checksums = new Uint8Array(Math.ceil(lengthBytes / job.blockBytes) * checksumLengthBytes);
    if (scratch.length < Math.min(job.blockBytes, lengthBytes)) scratch = new Uint8Array(job.blockBytes);
    let position = job.offsetBytes;
    for (let place = 0; place < checksums.length; place += checksumLengthBytes) {
      const block = scratch.subarray(0, Math.min(job.blockBytes, end - position));
      const readBytes = readFully(descriptor, block, position);
      checksums.set(hash(job.algorithm, block.subarray(0, readBytes)), place);
      position += block.length;
    }
    const after = fstatSync(descriptor);
    const unchanged =
      before.size === after.size && before.mtimeMs === after.mtimeMs && before.ctimeMs === after.ctimeMs;
    const { size, mtimeMs, ctimeMs, ino, dev, mode } = after;
    return { checksums, unchanged, stamp: { size, mtimeMs, ctimeMs, ino, dev, mode } };
  } finally {
    closeSync(descriptor);
  }
}

function readFully(descriptor: number, into: Uint8Array, position: number): number {
  let done = 0;
  while (done < into.length) {
    const count = readSync(descriptor, into, done, into.length - done, position + done);
    if (count === 0) break;
    done += count;
  }
  return done;
}

serveJobs<HashJobs>({
  hashPart,
  hashSmallFiles: (job) =>
    job.paths.map((path) => {
      try {
        return hashPart({ ...job, path, offsetBytes: 0, lengthBytes: job.blockBytes });
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        return { code: code ?? "EIO", message };
      }
    }),
});
