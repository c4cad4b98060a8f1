/**
 * Work done on another thread: both ends of a queue of typed jobs.
 *
 * Jobs of one thread are done one after another, in the order in which they were given. An error in a job rejects that
 * job alone, with the system's error code kept; when the thread itself ends, all that wait are rejected. A thread with
 * nothing to do does not keep the program running.
 */
import { parentPort, Worker } from "node:worker_threads";
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

/** A thread's memory for what is short-lived. Jobs' bytes stand elsewhere: more would only make the program larger. */
const youngGenerationMebibytes = 4;

/** The end that gives jobs. */
export class WorkerThread<Kinds extends JobKinds> {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;
  #ended: Error | undefined;

  /** @param script the module that the thread runs; it calls `serveJobs` */
  constructor(script: URL) {
    // Options of the program itself (such as a script given on the command line) are not for its threads.
    this.#worker = new Worker(script, {
      execArgv: [],
      resourceLimits: { maxYoungGenerationSizeMb: youngGenerationMebibytes },
    });
    this.#worker.unref();
    this.#worker.on("message", (answer: Answer) => this.#settle(answer));
    this.#worker.on("error", (error) => this.#end(error));
    this.#worker.on("exit", () => this.#end(new Error("the worker thread has ended")));
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

  async close(): Promise<void> {
    this.#ended ??= new Error("the worker thread was stopped");
    await this.#worker.terminate();
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
  parentPort?.on("message", ({ id, kind, job }: Request) => {
    let answer: Answer;
    try {
      const handler = byKind[kind];
      if (handler === undefined) throw new Error(`no such kind of job: ${kind}`);
      answer = { id, result: handler(job) };
    } catch (error) {
      answer = { id, error: describe(error) };
    }
    parentPort?.postMessage(answer, []);
  });
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
