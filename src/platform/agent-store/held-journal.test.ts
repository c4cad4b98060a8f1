import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { RangeSet } from "../../std/ranges.ts";
import { UserError } from "../../std/errors.ts";
import { withDirectory } from "./agent-store.testing.ts";
import { HeldJournal, loadJournal } from "./held-journal.ts";
import {
  completeRecord,
  droppedRecord,
  heldRecord,
  journalHeader,
  manifestRecord,
  readJournal,
  writtenRecord,
} from "./held-records.ts";

const stamp = { sizeBytes: 5_000_000_000, modifiedMilliseconds: 1_700_000_000_123.0005, inode: 12_345_678_901 };
const records = [
  manifestRecord(1000, 0xdeadbeef),
  writtenRecord(RangeSet.fromFlat([0, 4, 9, 12])),
  heldRecord(RangeSet.fromFlat([0, 4]), [[3, stamp]]),
  droppedRecord(RangeSet.of(1, 2)),
  completeRecord(),
];

describe("the journal of what is held", () => {
  it("comes to the same after reading", () => {
    const state = readJournal(Buffer.concat([journalHeader(), ...records]), "journal");
    assert.deepEqual(state.manifests, [{ lengthBytes: 1000, crc: 0xdeadbeef }]);
    assert.deepEqual(state.held.toFlat(), [0, 1, 2, 4]);
    assert.deepEqual(state.candidates.toFlat(), [9, 12]);
    assert.deepEqual(state.stamps.get(3), stamp);
    assert.equal(state.stamps.get(2), undefined);
    assert.deepEqual([state.complete, state.torn], [true, false]);
  });

  it("ignores a torn end, wherever it is torn and whatever was there", () => {
    const whole = Buffer.concat([journalHeader(), ...records]);
    for (let length = 0; length < whole.length; length += 1) {
      const state = readJournal(whole.subarray(0, length), "journal");
      assert.ok(state.readBytes <= length);
      assert.equal(state.complete, false);
      const spoiled = Buffer.from(whole);
      spoiled[length] = 255 - (spoiled[length] ?? 0);
      if (length === 4) assert.throws(() => readJournal(spoiled, "journal"), UserError);
      else if (length !== 5) assert.ok(readJournal(spoiled, "journal").torn, String(length));
    }
  });

  it("overwrites a torn end, and loses nothing that comes while it is written anew", async () => {
    await withDirectory(async (directory) => {
      const path = join(directory, "a/b/journal");
      const first = new HeldJournal(path, 0);
      for (const record of records) first.append(record);
      await first.sync();
      first.close();
      await writeFile(path, Buffer.concat([await readFile(path), Buffer.from("torn")]));
      const { torn, readBytes } = loadJournal(path);
      assert.equal(torn, true);
      const second = new HeldJournal(path, readBytes);
      second.append(writtenRecord(RangeSet.of(20, 21)));
      const rewritten = second.rewrite(() => [heldRecord(RangeSet.of(7, 8), [])]);
      second.append(writtenRecord(RangeSet.of(30, 31)));
      await rewritten;
      second.append(writtenRecord(RangeSet.of(40, 41)));
      await second.sync();
      const state = readJournal(readFileSync(path), path);
      assert.deepEqual([state.held.toFlat(), state.candidates.toFlat(), state.torn], [[7, 8], [30, 31, 40, 41], false]);
      await second.remove();
      assert.equal(loadJournal(path).readBytes, 0);
    });
  });
});
