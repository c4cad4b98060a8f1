import { strict as assert } from "node:assert";
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { toHex } from "../std/hex.ts";
import { UserError } from "../std/errors.ts";
import { HashWorkerPool } from "./hash-worker-pool.ts";
import { canHash, hash, preferredChecksumAlgorithm } from "./hashing.ts";

let directory = "";
const pool = new HashWorkerPool(2);
before(async () => {
  directory = await mkdtemp(join(tmpdir(), "sluice-hash-"));
});
after(async () => {
  await pool.close();
  await rm(directory, { recursive: true, force: true });
});

describe("hashing", () => {
  it("gives the published values, also for bytes in shared memory", () => {
    const abc = new Uint8Array(new SharedArrayBuffer(5)).subarray(1, 4);
    abc.set([0x61, 0x62, 0x63]);
    assert.equal(toHex(hash("sha256", abc)), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert.equal(toHex(hash("blake3", abc)), "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85");
    const empty = new Uint8Array(0);
    assert.equal(toHex(hash("blake3", empty)), "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262");
    assert.equal(preferredChecksumAlgorithm(), "blake3");
    assert.ok(canHash("sha256"));
  });
});

describe("the pool", () => {
  it("hashes files block by block, large ones in parts", async () => {
    const path = join(directory, "large");
    const blockBytes = 1024 * 1024;
    const content = Buffer.alloc(70 * blockBytes + 5, "sluice ");
    await writeFile(path, content);
    let progress = 0;
    const { checksums, stamp } = await pool.hashFile(path, content.length, {
      algorithm: "blake3",
      blockBytes,
      onProgress: (bytes) => {
        progress += bytes;
      },
    });
    assert.equal(progress, content.length);
    assert.equal(stamp.size, content.length);
    assert.equal(checksums.length, 71 * 32);
    for (const block of [0, 31, 32, 63, 64, 70]) {
      const expected = hash("blake3", content.subarray(block * blockBytes, (block + 1) * blockBytes));
      assert.deepEqual(
        Buffer.from(checksums.subarray(block * 32, block * 32 + 32)),
        Buffer.from(expected),
        String(block),
      );
    }
    await truncate(path, 10);
    await assert.rejects(pool.hashFile(path, content.length, { algorithm: "blake3", blockBytes }), UserError);
    await assert.rejects(pool.hashFile(join(directory, "none"), 1, { algorithm: "blake3", blockBytes }), UserError);
  });

  it("hashes many small files, with what is wrong with each", async () => {
    const paths = ["a", "b", "none"].map((name) => join(directory, name));
    await writeFile(paths[0] ?? "", "abc");
    await writeFile(paths[1] ?? "", "");
    const [a, b, none, folder] = await pool.hashSmallFiles({
      algorithm: "sha256",
      paths: [...paths, directory],
      blockBytes: 1000,
    });
    assert.ok(a !== undefined && "checksums" in a && a.unchanged);
    assert.equal(toHex(a.checksums), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert.ok(b !== undefined && "checksums" in b && b.checksums.length === 0);
    assert.ok(none !== undefined && "code" in none && none.code === "ENOENT");
    assert.ok(folder !== undefined && "code" in folder);
  });
});
