/** The scenarios that end within seconds, held to the committed figures exactly: the same on every machine. */
import { strict as assert } from "node:assert";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

interface Figures {
  readonly ratio: number;
  readonly uplinkCopies: number;
  readonly transfers: number;
}

const root = fileURLToPath(new URL("../../", import.meta.url));
const baseline = JSON.parse(readFileSync(join(root, "benchmarks/baseline.json"), "utf8")) as Record<
  string,
  Figures & { readonly quick?: boolean }
>;

async function simulate(name: string): Promise<Figures & { readonly violations: readonly string[] }> {
  const words = [join(root, "bin/sluice"), "simulate", join(root, `scenarios/${name}.yaml`), "--json"];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, words, { maxBuffer: 64 * 1024 * 1024 }, (failure, out, error) => {
      if (failure === null) resolve(JSON.parse(out) as Figures & { readonly violations: readonly string[] });
      else reject(new Error(error));
    });
  });
}

describe("scenarios", () => {
  const quick = Object.entries(baseline).filter(([, entry]) => entry.quick === true);
  it("has some that are quick", () => {
    assert.ok(quick.length >= 5);
  });
  for (const [name, known] of quick) {
    it(`${name} is as the baseline has it`, async () => {
      const { ratio, uplinkCopies, transfers, violations } = await simulate(name);
      assert.deepEqual(violations, []);
      assert.deepEqual(
        { ratio, uplinkCopies, transfers },
        { ratio: known.ratio, uplinkCopies: known.uplinkCopies, transfers: known.transfers },
        "npm run bench -- --scenarios --update writes the baseline anew, where the change is meant",
      );
    });
  }
});
