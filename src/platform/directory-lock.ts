/**
 * The exclusive use of a directory by one process: two programs on the same data would ruin it.
 *
 * The lock is a listening Unix socket at DIRECTORY/lock. The kernel closes it with its process, however that ends, so a
 * lock that nobody answers is stale: no process id has to be believed, and it holds across containers that share the
 * directory. A stale lock is taken over by whoever first links its own socket to a name made of the stale one's inode
 * and time; so of several programs that start at once exactly one gets it.
 */
import { randomBytes } from "node:crypto";
import { closeSync, constants, openSync } from "node:fs";
import { link, lstat, mkdir, readdir, rename, unlink } from "node:fs/promises";
import { createConnection, createServer } from "node:net";
import type { Server } from "node:net";
import { join } from "node:path";
import { UserError } from "../std/errors.ts";

export interface DirectoryLock {
  /** Gives the directory free. */
  release(): Promise<void>;
}

const lockName = "lock";
const ownPrefix = "lock-own-";
const takeoverPrefix = "lock-takeover-";
/** How long the holder has to say its process id; it holds the lock whether it answers or not. */
const answerTimeoutMilliseconds = 1000;
/** Another program that is taking a stale lock over needs a moment to finish, or to die. */
const attempts = 50;
const attemptPauseMilliseconds = 20;
/** What the address of a Unix socket has room for on all systems. */
const longestSocketPathBytes = 100;

/**
 * Takes the lock of a directory (made if need be). Throws UserError "data directory X is in use by process N" when
 * another program, or this one, has it.
 * @param shownAs the directory as the user knows it, for messages
 */
export async function lockDirectory(directory: string, shownAs: string = directory): Promise<DirectoryLock> {
  await mkdir(directory, { recursive: true });
  const place = openPlace(directory);
  const ownName = ownPrefix + randomBytes(6).toString("hex");
  let server;
  try {
    server = await listen(join(place.path, ownName));
  } catch (error) {
    place.close();
    throw new UserError(`data directory ${shownAs} cannot be locked: ${(error as Error).message}`, {
      hint: "use a directory on a local file system",
      cause: error,
    });
  }
  const release = async (): Promise<void> => {
    await unlink(join(directory, lockName)).catch(() => undefined);
    await close(server);
    place.close();
  };
  try {
    await acquire(directory, place.path, ownName, shownAs);
  } catch (error) {
    await close(server);
    place.close();
    throw error;
  }
  await removeLeftovers(directory, place.path);
  return { release };
}

async function acquire(directory: string, socketDirectory: string, ownName: string, shownAs: string): Promise<void> {
  const own = join(directory, ownName);
  const lock = join(directory, lockName);
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    if (await linked(own, lock)) {
      await unlink(own);
      return;
    }
    const before = await identityOf(lock);
    if (before === undefined) continue;
    const holder = await askHolder(join(socketDirectory, lockName));
    if (holder.alive) throw inUse(shownAs, holder.process);
    if (await takeOver(directory, socketDirectory, own, before)) return;
    await pause(attemptPauseMilliseconds);
  }
  throw inUse(shownAs, undefined);
}

/** Puts `own` in the place of the stale lock, unless another program does so or it is not that stale lock any more. */
async function takeOver(directory: string, socketDirectory: string, own: string, stale: string): Promise<boolean> {
  const lock = join(directory, lockName);
  const claimName = takeoverPrefix + stale;
  const claim = join(directory, claimName);
  if (!(await linked(own, claim))) {
    const claimant = await askHolder(join(socketDirectory, claimName));
    // Whoever was taking it over has died on the way: the next attempt may claim it.
    if (!claimant.alive) await unlink(claim).catch(() => undefined);
    return false;
  }
  try {
    // Only the holder of this claim may replace this stale lock, so what is seen here stays true.
    if ((await identityOf(lock)) !== stale) return false;
    await rename(own, lock);
    return true;
  } finally {
    await unlink(claim).catch(() => undefined);
  }
}

/** True: `name` is now a name of `existing`. False: the name is taken. */
async function linked(existing: string, name: string): Promise<boolean> {
  try {
    await link(existing, name);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

async function identityOf(path: string): Promise<string | undefined> {
  try {
    const { ino, ctimeNs } = await lstat(path, { bigint: true });
    return `${ino}-${ctimeNs}`;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Whether anybody listens at `path`, and the process id that it tells. */
async function askHolder(path: string): Promise<{ alive: boolean; process?: string }> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    let connected = false;
    let said = "";
    const timer = setTimeout(() => socket.destroy(), answerTimeoutMilliseconds);
    socket.setEncoding("utf8");
    socket.on("connect", () => {
      connected = true;
    });
    socket.on("data", (text: string) => {
      said = (said + text).slice(0, 20);
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      // Only these two mean that no process has it open; anything else leaves the doubt to the holder.
      if (error.code !== "ECONNREFUSED" && error.code !== "ENOENT" && error.code !== "ENOTSOCK") connected = true;
    });
    socket.on("close", () => {
      clearTimeout(timer);
      const process = /^[0-9]+$/.test(said) ? said : undefined;
      resolve(process === undefined ? { alive: connected } : { alive: connected, process });
    });
  });
}

/** A path of `directory` that is short enough for the address of a socket; valid until closed. */
function openPlace(directory: string): { path: string; close: () => void } {
  const longestName = takeoverPrefix.length + 45;
  if (Buffer.byteLength(directory) + longestName < longestSocketPathBytes || process.platform !== "linux") {
    return { path: directory, close: () => undefined };
  }
  const descriptor = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  return { path: `/proc/self/fd/${descriptor}`, close: () => closeSync(descriptor) };
}

async function listen(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.end(String(process.pid));
    });
    server.on("error", reject);
    server.listen(path, () => {
      server.unref();
      resolve(server);
    });
  });
}

/** Sockets of programs that died while they were starting. */
async function removeLeftovers(directory: string, socketDirectory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (!name.startsWith(ownPrefix) && !name.startsWith(takeoverPrefix)) continue;
    const { alive } = await askHolder(join(socketDirectory, name));
    if (!alive) await unlink(join(directory, name)).catch(() => undefined);
  }
}

async function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}

async function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}

function inUse(directory: string, holder: string | undefined): UserError {
  const by = holder === undefined ? "by another process" : `by process ${holder}`;
  return new UserError(`data directory ${directory} is in use ${by}`, {
    hint: "stop that process, or use another data directory",
  });
}
