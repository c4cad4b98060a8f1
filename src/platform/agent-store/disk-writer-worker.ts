/** The thread that hashes and writes, and does everything else that changes the tree. */
import { serveJobs } from "../worker-thread.ts";
import type { WriterJobs } from "./disk-jobs.ts";
import { OpenFiles } from "./open-files.ts";
import {
  finishDirectories,
  finishFiles,
  makeDirectories,
  makeEmptyFiles,
  makeLinks,
  removeFiles,
  removeOthers,
  removeTree,
  syncPaths,
} from "./tree-work.ts";
import { cloneFile, copyBlocks, stampFile, writeBlocks } from "./writing.ts";

const files = new OpenFiles();
const sources = new OpenFiles();

serveJobs<WriterJobs>({
  write: (job) => writeBlocks(files, job),
  copy: (job) => copyBlocks(files, sources, job),
  clone: (job) => {
    files.forget(job.target);
    return cloneFile(files, job.source, job.target);
  },
  stamp: (job) => stampFile(files, job),
  truncate: (job) => stampFile(files, job),
  sync: (job) => syncPaths(job),
  takeDirectories: () => {
    const directories = [...files.changedDirectories];
    files.changedDirectories.clear();
    return directories;
  },
  makeDirectories: (job) => makeDirectories(files, job),
  makeEmptyFiles: (job) => makeEmptyFiles(files, job),
  finishFiles: (job) => finishFiles(files, job),
  makeLinks: (job) => makeLinks(files, job),
  removeOthers: (job) => removeOthers(job),
  finishDirectories: (job) => finishDirectories(job),
  removeFiles: (job) => removeFiles(job),
  removeTree: (job) => removeTree(job),
  forget: (job) => files.forget(job),
});
