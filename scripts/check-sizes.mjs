/** Holds every file of code that is not a test to a length that a reader can take in. Functions are the linter's business. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isTestFile, listFiles, repositoryRoot } from "./lib.mjs";

const LONGEST_FILE_LINES = 400;
const FOLDERS = ["src", "demo", "benchmarks", "lab", "scripts"];

const isCode = (name) => /\.([cm]?[jt]sx?|css|html)$/.test(name) && !isTestFile(name);
const files = FOLDERS.flatMap((folder) => listFiles(folder, isCode)).filter((path) => !path.includes("node_modules"));

let tooLong = 0;
for (const path of files) {
  const lines = readFileSync(join(repositoryRoot, path), "utf8").trimEnd().split("\n").length;
  if (lines <= LONGEST_FILE_LINES) continue;
  tooLong += 1;
  console.error(`${path}: ${lines} lines, ${LONGEST_FILE_LINES} at most: give a part of it a file of its own`);
}
if (tooLong > 0) process.exitCode = 1;
else console.log(`${files.length} files, none over ${LONGEST_FILE_LINES} lines`);
