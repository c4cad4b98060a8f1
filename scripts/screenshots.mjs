/** npm run screenshots: builds, then lets test/screenshots.ts make the pictures in docs/screenshots. */
import { build, installWhenNeeded, run } from "./lib.mjs";

installWhenNeeded();
build();
if (!run(process.execPath, ["--enable-source-maps", "dist/test/screenshots.js"])) process.exitCode = 1;
