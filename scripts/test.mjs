/** npm test: from a fresh clone, with nothing but Node and npm, to the verdict of every check and every test. */
import { installWhenNeeded, run } from "./lib.mjs";

installWhenNeeded();
if (!run(process.execPath, ["scripts/check.mjs", ...process.argv.slice(2)])) process.exitCode = 1;
