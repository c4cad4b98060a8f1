/** The thread that reads: blocks for other agents, and everything that is hashed again. */
import { serveJobs } from "../worker-thread.ts";
import type { ReaderJobs } from "./disk-jobs.ts";
import { OpenFiles } from "./open-files.ts";
import { hashFiles, readFiles, statFiles } from "./reading.ts";

const files = new OpenFiles();

serveJobs<ReaderJobs>({
  read: (job) => readFiles(files, job),
  hash: (job) => hashFiles(files, job),
  stat: (job) => statFiles(job),
  forget: (job) => files.forget(job),
});
