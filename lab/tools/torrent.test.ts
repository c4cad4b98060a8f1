import { strict as assert } from "node:assert";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { makePayload } from "../race/payload.ts";
import { bencode, makeTorrent, pieceBytesFor } from "./torrent.ts";

describe("a torrent", () => {
  it("is written as BEP 3 says, with sorted keys", () => {
    const text = Buffer.from(bencode({ b: [1, "two"], a: Buffer.from([65]) })).toString();
    assert.equal(text, "d1:a1:A1:bli1e3:twoee");
  });

  it("has pieces that go over the borders of files", () => {
    const directory = mkdtempSync(join(tmpdir(), "sluice-torrent-"));
    try {
      const payload = makePayload(
        {
          ...{ name: "p", version: "1", fileCount: 3, totalBytes: 40_000, blockBytes: 1, origins: [], targets: "all" },
          ...{ atNanoseconds: 0, priority: 0, holders: [] },
        },
        join(directory, "0"),
      );
      assert.deepEqual(
        payload.files.map(({ bytes }) => bytes),
        [13_334, 13_333, 13_333],
      );
      const torrent = Buffer.from(makeTorrent(payload, "http://tracker/announce"));
      const whole = Buffer.concat(payload.files.map(({ path }) => readFileSync(join(payload.directory, path))));
      for (let at = 0; at < whole.length; at += 16_384) {
        const digest = createHash("sha1")
          .update(whole.subarray(at, at + 16_384))
          .digest();
        assert.ok(torrent.includes(digest), `the piece at ${at} is there`);
      }
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it("has about a thousand pieces", () => {
    assert.equal(pieceBytesFor(256 * 2 ** 20), 256 * 1024);
    assert.equal(pieceBytesFor(1), 16 * 1024);
    assert.equal(pieceBytesFor(2 ** 40), 4 * 2 ** 20);
  });
});
