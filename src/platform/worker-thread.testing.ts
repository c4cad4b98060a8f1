/**
 * A thread for tests of what comes of one that is busy when it is to end: it takes its time over loading and over each
 * job, and leaves a mark in a file only when it was not cut off. Run as a program it starts that thread, and ends while
 * the thread is at what is asked for: `loading` or `working`.
 */
import { appendFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { isMainThread } from "node:worker_threads";
import { serveJobs, WorkerThread } from "./worker-thread.ts";

export type SlowJobs = { note: { job: { readonly mark: string; readonly file: string }; result: string } };

/** How long it takes over loading, and over a job. */
const slownessMilliseconds = 150;
const beginsAfterMilliseconds = 50;

export const slowThreadScript = new URL(import.meta.url);

/** Blocks the thread: like a native function, it knows nothing of an order to end. */
function dawdle(): void {
  const until = performance.now() + slownessMilliseconds;
  while (performance.now() < until);
}

if (!isMainThread) {
  const loadedFile = process.env["SLUICE_TEST_LOADED_FILE"];
  dawdle();
  if (loadedFile !== undefined) appendFileSync(loadedFile, "loaded\n");
  serveJobs<SlowJobs>({
    note: ({ mark, file }) => {
      appendFileSync(file, `${mark} begins\n`);
      dawdle();
      appendFileSync(file, `${mark} ends\n`);
      return mark;
    },
  });
} else if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , when = "", file = ""] = process.argv;
  const thread = new WorkerThread<SlowJobs>(slowThreadScript);
  if (when === "loading") {
    setTimeout(() => process.exit(0), beginsAfterMilliseconds);
  } else {
    await thread.run("note", { mark: "first", file });
    void thread.run("note", { mark: "second", file });
    void thread.run("note", { mark: "never", file });
    setTimeout(() => process.exit(0), beginsAfterMilliseconds);
  }
}
