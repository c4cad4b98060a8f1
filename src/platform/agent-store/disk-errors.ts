/** What the file system says, in words for people: what is wrong, where, and what to do about it. */
import { UserError } from "../../std/errors.ts";

const explanations: Readonly<Record<string, { text: (where: string) => string; hint?: string }>> = {
  ENOSPC: { text: (where) => `no space left on ${where}`, hint: "free some space, or move the data to a larger disk" },
  EDQUOT: {
    text: (where) => `the disk quota of ${where} is used up`,
    hint: "free some space, or have the quota raised",
  },
  EROFS: { text: (where) => `${where} is on a read-only file system` },
  EIO: { text: (where) => `the disk of ${where} reports an input/output error`, hint: "look at the system's log" },
  EMFILE: {
    text: (where) => `too many files are open to use ${where}`,
    hint: "raise the limit of open files (ulimit -n)",
  },
  ENFILE: { text: (where) => `too many files are open on this machine to use ${where}` },
  ENAMETOOLONG: { text: (where) => `a name is too long for the file system of ${where}` },
  EILSEQ: { text: (where) => `a name cannot be written on the file system of ${where}` },
};

/** A UserError for an error of the file system under `dataDirectory`. An error that is none already is passed on. */
export function diskError(error: unknown, dataDirectory: string): Error {
  if (error instanceof UserError) return error;
  if (!(error instanceof Error)) return new Error(String(error));
  const { code, path } = error as NodeJS.ErrnoException;
  if (code === undefined) return error;
  const where = path === undefined ? dataDirectory : JSON.stringify(path);
  if (code === "EACCES" || code === "EPERM") {
    const hint = `run the agent as the user who owns ${dataDirectory}`;
    return new UserError(`permission denied on ${where}`, { hint, cause: error });
  }
  const explanation = explanations[code];
  if (explanation === undefined) return new UserError(`disk error on ${where}: ${error.message}`, { cause: error });
  const { text, hint } = explanation;
  return new UserError(text(dataDirectory), { cause: error, ...(hint === undefined ? {} : { hint }) });
}

/** The system's code of an error, such as ENOENT; "" if it has none. */
export function errorCode(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === "string" ? code : "";
}
