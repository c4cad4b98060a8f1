/**
 * What the demonstration publishes: the installed packages, thousands of small files and some large ones, and beside
 * them archives made of the same files until it is large enough to take a while. Everything is a copy.
 */
import { createWriteStream, lstatSync, readdirSync, readFileSync } from "node:fs";
import { cp, mkdir, readdir, symlink } from "node:fs/promises";
import { once } from "node:events";
import { finished } from "node:stream/promises";
import { join } from "node:path";
import { UserError } from "#src/std/errors.ts";

const mebibyte = 1024 * 1024;
/** Packages are taken until there is so much of them. */
const maximumPackageBytes = 400 * mebibyte;
/** Archives are added until there is so much in all. */
const leastTotalBytes = 200 * mebibyte;
const archiveBytes = 24 * mebibyte;

/** Makes the directory `to`. @throws UserError when no packages are installed */
export async function makePayload(modules: string, to: string, signal: AbortSignal): Promise<void> {
  const packages = join(to, "packages");
  await mkdir(packages, { recursive: true });
  let bytes = 0;
  for (const name of (await installed(modules)).sort()) {
    if (bytes >= maximumPackageBytes) break;
    signal.throwIfAborted();
    // Links stay links; a program that is made of links to a package that was left out would lead nowhere, which is allowed.
    await cp(join(modules, name), join(packages, name), {
      recursive: true,
      preserveTimestamps: true,
      verbatimSymlinks: true,
    });
    bytes += bytesBelow(join(packages, name));
  }
  const archives = join(to, "archives");
  await mkdir(join(archives, "none yet ☕"), { recursive: true });
  let number = 1;
  for (; bytes < leastTotalBytes; number += 1) {
    signal.throwIfAborted();
    bytes += await writeArchive(join(archives, `packages-${number}.bin`), packages, number);
  }
  if (number > 1) await symlink(`packages-${number - 1}.bin`, join(archives, "latest"));
}

async function installed(modules: string): Promise<string[]> {
  const names = await readdir(modules).catch(() => []);
  // What begins with a dot is npm's own; the links to programs are worth taking.
  const packages = names.filter((name) => !name.startsWith(".") || name === ".bin");
  if (packages.length === 0) throw new UserError(`there are no packages in ${modules}`, { hint: "run npm ci" });
  return packages;
}

/** The files below a directory, each with its path before it, one after another from another start each time. */
async function writeArchive(path: string, from: string, number: number): Promise<number> {
  const files = filesBelow(from);
  const archive = createWriteStream(path);
  let written = 0;
  for (let index = 0; written < archiveBytes && index < files.length; index += 1) {
    const file = files[(index * 7 + number * 1_013) % files.length] ?? "";
    const bytes = Buffer.concat([Buffer.from(`${number} ${file.slice(from.length)}\n`), readFileSync(file)]);
    written += bytes.length;
    if (!archive.write(bytes)) await once(archive, "drain");
  }
  archive.end();
  await finished(archive);
  return written;
}

function bytesBelow(path: string): number {
  return lstatSync(path).isDirectory()
    ? filesBelow(path).reduce((bytes, file) => bytes + lstatSync(file).size, 0)
    : lstatSync(path).size;
}

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
