import { strict as assert } from "node:assert";
import { execFile } from "node:child_process";
import { rmSync } from "node:fs";
import { appendFile, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import {
  begin,
  example,
  fill,
  noise,
  shared,
  storeWhole,
  withDirectory,
} from "../../platform/agent-store/agent-store.testing.ts";
import { DiskAgentStore } from "../../platform/agent-store/disk-agent-store.ts";

const script = `
  const { Command } = await import("commander");
  const { registerVerify } = await import(${JSON.stringify(new URL("./verify.js", import.meta.url).href)});
  const { reportError } = await import(${JSON.stringify(new URL("../report-error.js", import.meta.url).href)});
  const program = new Command("sluice").enablePositionalOptions();
  registerVerify(program);
  try {
    await program.parseAsync(["verify", ...process.argv.slice(1)], { from: "user" });
  } catch (error) {
    process.exitCode = reportError(error);
  }
`;

async function verify(...words: string[]): Promise<{ code: number; out: string; error: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, ["--input-type=module", "-e", script, "--", ...words], (failure, out, error) => {
      resolve({ code: failure === null ? 0 : Number(failure.code), out, error });
    });
  });
}

const files = [
  { path: "a\nb", content: noise(2500, 1) },
  { path: "empty", content: noise(0) },
  { path: "long", content: noise(1000, 2) },
];

describe("sluice verify", () => {
  it("says what is damaged, file and block, beside a running agent", async () => {
    await withDirectory(async (directory) => {
      const data = join(directory, "data");
      const store = new DiskAgentStore(data);
      await store.open();
      try {
        const whole = example({ files, directories: [{ path: "d" }], links: [{ path: "l", target: "long" }] });
        await storeWhole(store, "demo@1", whole);
        const other = example({ files: [{ path: "x", content: noise(1500, 9) }] });
        await begin(store, "part@1", other);
        await store.writeBlocks("part@1", 1, 2, shared(other.bytes(1, 2)));
        await store.flush("part@1");
        const good = await verify("--data", data);
        assert.deepEqual([good.code, good.error], [0, ""]);
        assert.match(
          good.out,
          /^demo@1: 4 blocks of 2 files \(.*\) checked, all of them right\npart@1 \(not complete\): 1 block of 1 file /,
        );
        // The agent has not noticed this.
        const tree = join(data, "filesets/demo/1");
        const bytes = await readFile(join(tree, "a\nb"));
        bytes[1200] = 255 - (bytes[1200] ?? 0);
        await writeFile(join(tree, "a\nb"), bytes.subarray(0, 2400));
        await appendFile(join(tree, "long"), "more");
        rmSync(join(tree, "empty"));
        await rm(join(tree, "l"));
        await symlink("/etc", join(tree, "l"));
        const bad = await verify("--data", data);
        assert.equal(bad.code, 1);
        assert.deepEqual(bad.out.trim().split("\n").slice(2), [
          'damaged: demo@1 "a\\nb", block 1 (1000 bytes at 1000): it does not match its checksum',
          'damaged: demo@1 "a\\nb", block 2 (500 bytes at 2000): the file is too short',
          'damaged: demo@1 "empty": it is missing',
          'damaged: demo@1 "long": it is 4 bytes too long',
          'damaged: demo@1 "l": it points elsewhere',
        ]);
        const json = JSON.parse((await verify("--data", data, "--json")).out) as {
          damage: { path: string; block?: number }[];
        };
        assert.deepEqual(json.damage[0], {
          fileSet: "demo@1",
          path: "a\nb",
          block: 1,
          offsetBytes: 1000,
          lengthBytes: 1000,
          problem: "it does not match its checksum",
        });
      } finally {
        await store.close();
      }
    });
  });

  it("is not put off by an agent that writes, deletes and activates meanwhile", async () => {
    await withDirectory(async (directory) => {
      const data = join(directory, "data");
      const store = new DiskAgentStore(data);
      await store.open();
      try {
        const whole = example({
          files: Array.from({ length: 40 }, (_, index) => ({ path: `f${index}`, content: noise(9000, index) })),
        });
        const work = { goesOn: true };
        const agent = (async () => {
          for (let version = 1; work.goesOn; version += 1) {
            await fill(store, `demo@${version}`, whole, await begin(store, `demo@${version}`, whole));
            await store.finish(`demo@${version}`);
            await store.activate("demo", String(version));
            if (version > 1) await store.delete(`demo@${version - 1}`);
          }
        })();
        for (let round = 0; round < 3; round += 1) {
          const { code, out, error } = await verify("--data", data);
          assert.equal(code, 0, out + error);
        }
        work.goesOn = false;
        await agent;
      } finally {
        await store.close();
      }
    });
  });

  it("refuses what is no agent's data", async () => {
    await withDirectory(async (directory) => {
      const { code, error } = await verify("--data", directory);
      assert.equal(code, 2);
      assert.equal(error, `sluice: ${directory} holds no data of an agent\n`);
    });
  });
});
