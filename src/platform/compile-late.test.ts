/** Speed is not tested here: that the engine takes the setting without a word, and that nothing else changes. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";

test("a program that is compiled late runs, and says nothing of it", () => {
  const module = new URL("./compile-late.js", import.meta.url).href;
  const script = `const { compileLate } = await import("${module}"); compileLate(); console.log("runs");`;
  const printed = execFileSync(process.execPath, ["--input-type=module", "-e", script], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
  assert.equal(printed, "runs\n");
});
