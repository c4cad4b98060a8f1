import assert from "node:assert/strict";
import { test } from "node:test";
import { UserError } from "../std/errors.ts";
import { chooseBlockBytes } from "./block-size.ts";
import { checksumAlgorithmCode, checksumAlgorithmOfCode, formatChecksum, parseChecksum } from "./checksum.ts";
import {
  checkAgentName,
  checkFileSetName,
  checkSiteName,
  checkVersion,
  fileSetNameSchema,
  versionSchema,
} from "./names.ts";

test("names follow one pattern", () => {
  for (const name of ["a", "0", "fra-0", "Index_2026.10", "x".repeat(128)]) {
    for (const check of [checkFileSetName, checkVersion, checkAgentName, checkSiteName]) {
      assert.equal(check(name), name);
    }
    assert.equal(fileSetNameSchema.parse(name), name);
  }
  for (const name of ["", "-a", ".a", "_a", "a b", "a/b", "ä", "a\n", "x".repeat(129)]) {
    for (const check of [checkFileSetName, checkVersion, checkAgentName, checkSiteName]) {
      assert.throws(
        () => check(name),
        (error) => error instanceof UserError && (error.hint ?? "").includes("128"),
      );
    }
    assert.equal(fileSetNameSchema.safeParse(name).success, false);
  }
  assert.throws(() => checkVersion("current"), UserError);
  assert.equal(versionSchema.safeParse("current").success, false);
});

test("checksums name their algorithm", () => {
  const checksum = new Uint8Array(32).fill(0xab);
  const text = formatChecksum("blake3", checksum);
  assert.equal(text, `blake3:${"ab".repeat(32)}`);
  assert.deepEqual(parseChecksum(text), { algorithm: "blake3", checksum });
  assert.equal(parseChecksum(`sha256:${"00".repeat(32)}`).algorithm, "sha256");
  for (const wrong of ["", "ab", `md5:${"ab".repeat(32)}`, text.slice(0, -1), text.toUpperCase(), `${text}0`]) {
    assert.throws(() => parseChecksum(wrong), UserError);
  }
  assert.throws(() => formatChecksum("blake3", new Uint8Array(31)), RangeError);
  for (const algorithm of ["blake3", "sha256"] as const) {
    assert.equal(checksumAlgorithmOfCode(checksumAlgorithmCode(algorithm)), algorithm);
  }
  assert.throws(() => checksumAlgorithmOfCode(0), UserError);
});

test("files are cut into about 1,024 blocks", () => {
  const mebibyte = 1_048_576;
  assert.equal(chooseBlockBytes(0), 262_144);
  assert.equal(chooseBlockBytes(256 * mebibyte), 262_144);
  assert.equal(chooseBlockBytes(256 * mebibyte + 1), 524_288);
  assert.equal(chooseBlockBytes(1024 * mebibyte), mebibyte);
  assert.equal(chooseBlockBytes(1e15), 16 * mebibyte);
  assert.equal(chooseBlockBytes(1e15, mebibyte), mebibyte);
  assert.throws(() => chooseBlockBytes(1, 0), RangeError);
});
