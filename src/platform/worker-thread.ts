/**
 * Work done on another thread: both ends of a queue of typed jobs.
 *
 * Jobs of one thread are done one after another, in the order in which they were given. An error in a job rejects that
 * job alone, with the system's error code kept; when the thread itself ends, all that wait are rejected. A thread with
 * nothing to do does not keep the program running.
 *
 * No thread is cut off while it loads its modules or does a job, neither by `close` nor when the program ends: native
 * packages do not bear that, and take the whole program with them ("Check failed: (location_) != nullptr" of Node 24).
 */
import { parentPort, Worker, workerData } from "node:worker_threads";
import { UserError } from "../std/errors.ts";

/** Every kind of job: what it is given and what it answers. */
export type JobKinds = Record<string, { readonly job: unknown; readonly result: unknown }>;

interface Request {
  readonly id: number;
  readonly kind: string;
  readonly job: unknown;
}

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: JobErrorData;
}

interface JobErrorData {
  readonly message: string;
  readonly code: string | undefined;
  readonly path: string | undefined;
  readonly hint: string | undefined;
  readonly isUserError: boolean;
}

/** An error of the file system or of the program, as it came back from the thread. */
export class JobError extends Error {
  override readonly name = "JobError";
  readonly code: string | undefined;
  readonly path: string | undefined;

  constructor(data: JobErrorData) {
    super(data.message);
    this.code = data.code;
    this.path = data.path;
  }
}

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** What both ends see at once: how far the thread is, and whether it is to end. Cells of an Int32Array. */
const stageCell = 0;
const stopCell = 1;
const cellCount = 2;

const stages = { loading: 0, idle: 1, working: 2 } as const;

/** How long a thread may take to finish what it is at when it is to end; after that it is cut off. */
const threadEndTimeoutMilliseconds = 5000;

/** A thread's memory for what is short-lived. Jobs' bytes stand elsewhere: more would only make the program larger. */
const youngGenerationMebibytes = 4;

const running = new Set<Int32Array>();

/** Lets all threads that run come to rest when the program ends, whatever ends it. */
function restAtExit(): void {
  const deadline = performance.now() + threadEndTimeoutMilliseconds;
  for (const cells of running) Atomics.store(cells, stopCell, 1);
  for (const cells of running) {
    for (let stage = Atomics.load(cells, stageCell); isBusy(stage); stage = Atomics.load(cells, stageCell)) {
      const result = Atomics.wait(cells, stageCell, stage, Math.max(0, deadline - performance.now()));
      if (result === "timed-out") break;
    }
  }
}

function isBusy(stage: number): boolean {
  return stage === stages.loading || stage === stages.working;
}

/** The end that gives jobs. */
export class WorkerThread<Kinds extends JobKinds> {
  readonly #worker: Worker;
  readonly #cells = new Int32Array(new SharedArrayBuffer(cellCount * Int32Array.BYTES_PER_ELEMENT));
  readonly #exited: Promise<void>;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;
  #ended: Error | undefined;

  /** @param script the module that the thread runs; it calls `serveJobs` */
  constructor(script: URL) {
    // Options of the program itself (such as a script given on the command line) are not for its threads.
    this.#worker = new Worker(script, {
      execArgv: [],
      workerData: this.#cells,
      resourceLimits: { maxYoungGenerationSizeMb: youngGenerationMebibytes },
    });
    this.#worker.unref();
    this.#worker.on("message", (answer: Answer) => this.#settle(answer));
    this.#worker.on("error", (error) => this.#end(error));
    if (running.size === 0) process.on("exit", restAtExit);
    running.add(this.#cells);
    this.#exited = new Promise((resolve) => {
      this.#worker.on("exit", () => {
        running.delete(this.#cells);
        if (running.size === 0) process.off("exit", restAtExit);
        this.#end(new Error("the worker thread has ended"));
        resolve();
      });
    });
  }

  /** Jobs given and not answered yet. */
  get pending(): number {
    return this.#waiting.size;
  }

  /** Has a job done. Throws JobError or UserError. Views on shared memory are passed on, other bytes are copied. */
  async run<Kind extends keyof Kinds & string>(kind: Kind, job: Kinds[Kind]["job"]): Promise<Kinds[Kind]["result"]> {
    if (this.#ended !== undefined) throw this.#ended;
    const id = this.#nextId;
    this.#nextId += 1;
    return new Promise((resolve, reject) => {
      if (this.#waiting.size === 0) this.#worker.ref();
      this.#waiting.set(id, { resolve, reject });
      const request: Request = { id, kind, job };
      this.#worker.postMessage(request, []);
    });
  }

  /** Ends the thread after the job that it is at; those that wait are rejected. */
  async close(): Promise<void> {
    this.#ended ??= new Error("the worker thread was stopped");
    this.#worker.ref();
    Atomics.store(this.#cells, stopCell, 1);
    this.#worker.postMessage(undefined, []);
    const cutOff = setTimeout(() => void this.#worker.terminate(), threadEndTimeoutMilliseconds);
    await this.#exited;
    clearTimeout(cutOff);
  }

  #settle(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (this.#waiting.size === 0) this.#worker.unref();
    if (answer.error === undefined) waiting?.resolve(answer.result);
    else waiting?.reject(toError(answer.error));
  }

  #end(error: Error): void {
    this.#ended ??= error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

/** The end that does them: `handlers` has a synchronous function for each kind of job. */
export function serveJobs<Kinds extends JobKinds>(handlers: {
  readonly [Kind in keyof Kinds]: (job: Kinds[Kind]["job"]) => Kinds[Kind]["result"];
}): void {
  const byKind = handlers as Record<string, (job: unknown) => unknown>;
  const port = parentPort;
  const cells: unknown = workerData;
  if (port === null || !(cells instanceof Int32Array)) throw new Error("this module is for a thread of WorkerThread");
  const enter = (stage: number): void => {
    Atomics.store(cells, stageCell, stage);
    Atomics.notify(cells, stageCell);
  };
  port.on("message", (request: Request | undefined) => {
    enter(stages.working);
    if (request !== undefined && Atomics.load(cells, stopCell) === 0) port.postMessage(answerTo(request), []);
    else port.close();
    enter(stages.idle);
  });
  enter(stages.idle);

  function answerTo({ id, kind, job }: Request): Answer {
    try {
      const handler = byKind[kind];
      if (handler === undefined) throw new Error(`no such kind of job: ${kind}`);
      return { id, result: handler(job) };
    } catch (error) {
      return { id, error: describe(error) };
    }
  }
}

function describe(error: unknown): JobErrorData {
  const { message, code, path } = error as NodeJS.ErrnoException;
  const isUserError = error instanceof UserError;
  return { message, code, path, isUserError, hint: isUserError ? error.hint : undefined };
}

function toError(data: JobErrorData): Error {
  if (!data.isUserError) return new JobError(data);
  return new UserError(data.message, data.hint === undefined ? {} : { hint: data.hint });
}
