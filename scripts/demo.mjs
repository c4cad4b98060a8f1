/** npm run demo: from a fresh clone to a running demonstration. Everything after `--` goes to demo/main.ts. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { build, installWhenNeeded, repositoryRoot } from "./lib.mjs";

installWhenNeeded();
build();

const demo = spawn(
  process.execPath,
  ["--enable-source-maps", join(repositoryRoot, "dist", "demo", "main.js"), ...process.argv.slice(2)],
  { stdio: "inherit" },
);
// The demonstration ends its own programs when it is interrupted: pass the signal on and wait for it.
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => demo.kill(signal));
}
demo.on("exit", (code, signal) => {
  process.exitCode = code ?? (signal === "SIGINT" ? 130 : 1);
});
