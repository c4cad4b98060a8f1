import assert from "node:assert/strict";
import { test } from "node:test";
import { Manifest } from "../model/manifest.ts";
import { summarizeManifest } from "../model/manifest-root.ts";
import { fakeHash } from "./fake-hash.ts";
import type { ScenarioFileSet } from "./scenario.ts";
import { VirtualContent } from "./virtual-content.ts";

const spec: ScenarioFileSet = {
  name: "index",
  version: "1",
  fileCount: 3,
  totalBytes: 1_000,
  blockBytes: 150,
  origins: ["a-0"],
  targets: "all",
  atNanoseconds: 0,
  priority: 0,
  holders: [],
};

test("files are of equal size, the first ones a byte longer, and every block's bytes match its checksum", () => {
  const content = new VirtualContent(spec);
  const { manifest } = content;
  assert.deepEqual(
    manifest.files.map(({ lengthBytes }) => lengthBytes),
    [334, 333, 333],
  );
  assert.equal(manifest.blockCount, 9);
  for (let block = 0; block < manifest.blockCount; block += 1) {
    assert.deepEqual(fakeHash("blake3", content.blockBytes(block, false)), manifest.blockChecksum(block));
    assert.equal(content.blockBytes(block, false).length, manifest.blockLengthBytes(block));
    assert.notDeepEqual(fakeHash("blake3", content.blockBytes(block, true)), manifest.blockChecksum(block));
  }
});

test("few distinct blocks repeat, and file sets of the same content have the same blocks", () => {
  const { manifest } = new VirtualContent({ ...spec, fileCount: 1, distinctBlocks: 2 });
  assert.deepEqual(manifest.duplicates().toFlat(), [2, 6]);
  const first = new VirtualContent({ ...spec, content: "same" });
  const second = new VirtualContent({ ...spec, content: "same", name: "other", fileCount: 1 });
  assert.equal(first.blockLike(second.manifest.blockChecksum(1), 150), 1);
  assert.equal(first.blockLike(second.manifest.blockChecksum(6), 100), undefined);
});

test("what grows comes block by block at its rate, under a new root each time, and ends as a whole", () => {
  const content = new VirtualContent({ ...spec, growthBitsPerSecond: 8_000 });
  const log: number[] = [...content.takePart()];
  const times: number[] = [];
  const roots = new Set([content.root]);
  while (!content.isComplete) {
    times.push(content.nextGrowthNanoseconds() / 1e6);
    content.grow();
    log.push(...content.takePart());
    roots.add(content.root);
  }
  assert.deepEqual(times, [150, 300, 334, 484, 634, 667, 817, 967, 1_000]);
  assert.equal(roots.size, 10);
  const decoded = Manifest.decode(Uint8Array.from(log));
  assert.equal(decoded.blockCount, content.finalBlockCount);
  assert.equal(content.root, summarizeManifest(fakeHash, "blake3", Uint8Array.from(log), content.pieceBytes).root);
});
