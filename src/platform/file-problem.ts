/** What the system says about a file that cannot be opened, in words. */

const texts: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  ENOTDIR: "a part of the path is no directory",
  EISDIR: "it is a directory",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "the file system is read-only",
  ENOSPC: "the disk is full",
  EMFILE: "too many files are open",
};

/** The reason behind an error of the file system, or of reading what a file has as text. */
export function fileProblem(error: unknown): string {
  if (error instanceof TypeError) return "it is not UTF-8 text";
  if (!(error instanceof Error) || !("code" in error)) return String(error);
  const code = String(error.code);
  return texts[code] ?? code;
}
