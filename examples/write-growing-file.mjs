/**
 * Writes a file that agents follow while it grows: each line is with them soon after it was written.
 *
 *   node write-growing-file.mjs http://127.0.0.1:7400 journal 1
 */
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { connect } from "sluice";

const [url, name, version] = process.argv.slice(2);
const file = connect(url).createGrowingFile({ name, version, fileName: "journal.log" });

for (let line = 1; line <= 20; line += 1) {
  // As with any stream: when it has enough, wait until it wants more.
  if (!file.write(`line ${line}\n`)) await once(file, "drain");
  await pause(50);
}
file.end();

const { fileSet, bytes } = await file.published;
console.log(`${fileSet} is published: ${bytes} bytes`);
