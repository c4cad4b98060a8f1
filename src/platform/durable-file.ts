/**
 * Replacing small files as a whole, so that a crash at any instruction leaves the old content or the new one, never a
 * mixture, and nothing that was reported as stored is lost when the machine stops.
 */
import { constants } from "node:fs";
import { open, rename, unlink } from "node:fs/promises";
import { dirname } from "node:path";

/** The last component of a path is never followed if it is a link; 0 where the system knows no such flag. */
export const noFollow: number = constants.O_NOFOLLOW ?? 0;

const temporarySuffix = ".new";

/**
 * Writes `content` beside `path`, makes it durable, and renames it into place. Two calls for one path must not run at
 * the same time. Throws the error of the file system; then the old content is still there.
 */
export async function replaceFileDurably(path: string, content: string | Uint8Array, mode = 0o600): Promise<void> {
  const temporary = path + temporarySuffix;
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | noFollow;
  try {
    const file = await open(temporary, flags, mode);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
  await syncDirectory(dirname(path));
}

/** Makes the names in a directory durable. Systems that cannot open a directory make them durable by themselves. */
export async function syncDirectory(path: string): Promise<void> {
  let directory;
  try {
    directory = await open(path, constants.O_RDONLY);
  } catch (error) {
    if (process.platform === "win32") return;
    throw error;
  }
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
