import test from "node:test";
import assert from "node:assert/strict";
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { FakeFleet, type FakeFleetOptions } from "./fake-fleet.testing.ts";
import { PublishError, type PublishErrorKind } from "./publish-error.ts";
import { publish } from "./publish.ts";
import type { PublishOptions, PublishResult, PublishSource } from "./publish-options.ts";

interface Place {
  readonly fleet: FakeFleet;
  readonly folder: string;
  readonly publish: (source: PublishSource, options?: Partial<PublishOptions>) => Promise<PublishResult>;
}

/** Runs with a fleet and a folder of its own. */
async function withFleet(options: FakeFleetOptions, run: (place: Place) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-publish-"));
  const fleet = new FakeFleet(options);
  await fleet.start();
  try {
    await run({
      fleet,
      folder,
      publish: (source, more) =>
        publish({
          url: fleet.url,
          name: "index",
          version: "7",
          selector: "all",
          priority: 0,
          activate: true,
          source,
          patienceMilliseconds: 30_000,
          signal: new AbortController().signal,
          ...more,
        }),
    });
  } finally {
    await fleet.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Bytes that do not repeat. */
function bytesOf(lengthBytes: number, seed: number): Buffer {
  const words = new Uint32Array(Math.ceil(lengthBytes / 4));
  let state = seed + 1;
  for (let index = 0; index < words.length; index += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    words[index] = state ^ (index << 7);
  }
  return Buffer.from(words.buffer, 0, lengthBytes);
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition(); tries += 1) {
    assert.ok(tries < 6_000, "it did not come about in time");
    await pause(10);
  }
}

const fails = (publishing: Promise<unknown>, kind: PublishErrorKind, pattern: RegExp): Promise<void> =>
  assert.rejects(publishing, (error) => {
    assert.ok(error instanceof PublishError, String(error));
    assert.match(error.message, pattern);
    assert.equal(error.kind, kind);
    return true;
  });

function makeTree(folder: string): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (let index = 0; index < 300; index += 1) files.set(`small/${index} ü`, bytesOf(index * 7, index));
  files.set("large", bytesOf(3_000_000, 3));
  files.set("huge", bytesOf(9_000_000, 5));
  files.set("copy of large", bytesOf(3_000_000, 3));
  mkdirSync(join(folder, "small"));
  mkdirSync(join(folder, "empty"));
  symlinkSync("small/1 ü", join(folder, "link"));
  for (const [path, bytes] of files) writeFileSync(join(folder, path), bytes);
  return files;
}

test("a folder is handed over whole, spread over the receivers, flushed, then committed", async () =>
  withFleet({}, async ({ fleet, folder, publish: run }) => {
    const files = makeTree(folder);
    const progress: string[] = [];
    const result = await run(
      { kind: "tree", path: folder },
      { onProgress: ({ stage }) => progress.includes(stage) || progress.push(stage) },
    );
    assert.equal(result.outcome, "committed");
    assert.equal(result.files, files.size);
    assert.equal(result.root, fleet.root);
    assert.ok(fleet.isCommitted);
    for (const [path, bytes] of files) assert.ok(fleet.content(path).equals(bytes), path);
    assert.ok(fleet.receivers.every((receiver) => receiver.blocks.size > 0 && receiver.flushes === 1));
    // Each file's last block came with the final flag, and no other.
    const finals = fleet.receivers.flatMap((receiver) => [...receiver.finals]);
    const handed = fleet.receivers.flatMap((receiver) => [...receiver.blocks.keys()]);
    assert.deepEqual(new Set(finals), new Set(handed.filter((block) => fleet.manifest.isFinalBlock(block))));
    assert.deepEqual(progress, ["scanning", "hashing", "handingOver"]);
  }));

test("a broken connection and a restarted controller: the publish goes on where it was", async () => {
  let breaks = 0;
  const onArrived: FakeFleetOptions["onArrived"] = (count, fleet) => {
    if (breaks === 0 && count >= 5) {
      breaks = 1;
      fleet.disconnect();
    } else if (breaks === 1 && count >= 30 && fleet.heard.filter(({ type }) => type === "begin").length === 2) {
      breaks = 2;
      void fleet
        .stopController()
        .then(() => pause(100))
        .then(() => fleet.startController());
    }
  };
  await withFleet({ onArrived, rateBitsPerSecond: 50_000_000 }, async ({ fleet, folder, publish: run }) => {
    const file = join(folder, "data");
    const bytes = bytesOf(16_000_000, 9);
    writeFileSync(file, bytes);
    const result = await run({ kind: "tree", path: file });
    assert.equal(result.outcome, "committed");
    assert.equal(breaks, 2);
    assert.ok(fleet.content("data").equals(bytes));
    const begins = fleet.heard.filter((message) => message.type === "begin");
    assert.equal(begins.length, 3);
    assert.equal(new Set(begins.map(({ publishId }) => publishId)).size, 1);
  });
});

test("a file that changes while it is handed over stops the publish, and the controller is told", async () => {
  let file = "";
  const onBegin = (): undefined => {
    // The same length and time: only its content and its change time tell.
    writeFileSync(file, bytesOf(2_000_000, 8));
    utimesSync(file, 1, 1);
  };
  await withFleet({ onBegin }, async ({ fleet, folder, publish: run }) => {
    file = join(folder, "data");
    writeFileSync(file, bytesOf(2_000_000, 7));
    utimesSync(file, 1, 1);
    await fails(run({ kind: "tree", path: file }), "failed", /data" changed while it was being published/);
    await until(() => fleet.heard.some((message) => message.type === "abort"));
    assert.equal(fleet.isCommitted, false);
  });
});

test("stopping, an absent controller, a version that stands against it", async () => {
  const stop = new AbortController();
  await withFleet(
    { rateBitsPerSecond: 20_000_000, onArrived: () => stop.abort(new Error("stopped by SIGINT")) },
    async (place) => {
      const file = join(place.folder, "data");
      writeFileSync(file, bytesOf(3_000_000, 7));
      const publishing = place.publish({ kind: "tree", path: file }, { signal: stop.signal });
      await fails(publishing, "interrupted", /^stopped by SIGINT: nothing was published/);
      await until(() => place.fleet.heard.some((message) => message.type === "abort"));
      await place.fleet.stopController();
      const unreachable = place.publish({ kind: "tree", path: file }, { patienceMilliseconds: 300 });
      await fails(unreachable, "unreachable", /cannot be reached: nothing answers there/);
    },
  );
  const rejected: FakeFleetOptions["onBegin"] = ({ publishId }) => ({
    type: "rejected",
    publishId,
    code: "noTargets",
    reason: "no connected agent matches",
  });
  await withFleet({ onBegin: rejected }, async ({ folder, publish: run }) => {
    writeFileSync(join(folder, "data"), "x");
    await fails(run({ kind: "tree", path: folder }), "failed", /no connected agent/);
  });
});

/** Publishes a tree and gives back the manifest that stands for it from then on. */
async function manifestOf(folder: string): Promise<Uint8Array> {
  let bytes = new Uint8Array(0);
  await withFleet({}, async ({ fleet, publish: run }) => {
    await run({ kind: "tree", path: folder });
    bytes = new Uint8Array(fleet.manifestBytes);
  });
  return bytes;
}

test("the same version again: the same content is no new publish, other content is a conflict", async () => {
  const source = mkdtempSync(join(tmpdir(), "sluice-same-"));
  writeFileSync(join(source, "data"), bytesOf(1_000_000, 4));
  const bytes = await manifestOf(source);
  let begun = 0;
  const onBegin: FakeFleetOptions["onBegin"] = ({ publishId }) => {
    begun += 1;
    return { type: "already", publishId };
  };
  await withFleet({ base: { bytes, isSame: true }, onBegin }, async ({ publish: run }) => {
    const again = await run({ kind: "tree", path: source });
    assert.equal(again.outcome, "already");
    assert.equal(again.onlyTimesDiffer, false);
    utimesSync(join(source, "data"), 1, 1);
    const touched = await run({ kind: "tree", path: source });
    assert.equal(touched.outcome, "already");
    assert.equal(touched.onlyTimesDiffer, true);
    assert.equal(touched.root, again.root);
    assert.equal(begun, 2);
    const stream = (content: Buffer): PublishSource => ({
      kind: "stream",
      stream: new PassThrough().end(content),
      fileName: "data",
    });
    assert.equal((await run(stream(bytesOf(1_000_000, 4)))).outcome, "already");
    await fails(run(stream(bytesOf(1_000_000, 5))), "conflict", /exists already with other content \("data" differs\)/);
    await fails(run(stream(bytesOf(999_999, 4))), "conflict", /differs/);
    await fails(run(stream(Buffer.concat([bytesOf(1_000_000, 4), Buffer.alloc(1)]))), "conflict", /differs/);
    writeFileSync(join(source, "data"), bytesOf(1_000_000, 6));
    await fails(run({ kind: "tree", path: source }), "conflict", /"data" differs/);
    writeFileSync(join(source, "more"), "");
    await fails(run({ kind: "tree", path: source }), "conflict", /"more" differs/);
    assert.equal(begun, 2);
  });
  rmSync(source, { recursive: true });
});

test("a new version: block sizes stay, file versions rise with content", async () => {
  const source = mkdtempSync(join(tmpdir(), "sluice-next-"));
  writeFileSync(join(source, "same"), "same");
  writeFileSync(join(source, "other"), "one");
  const bytes = await manifestOf(source);
  writeFileSync(join(source, "other"), "two");
  await withFleet({ base: { bytes, isSame: false } }, async ({ fleet, publish: run }) => {
    await run({ kind: "tree", path: source }, { version: "8" });
    assert.deepEqual(
      fleet.manifest.files.map(({ path, version }) => [path, version]),
      [
        ["other", 2],
        ["same", 1],
      ],
    );
  });
  rmSync(source, { recursive: true });
});

test("a stream is there before its end; its last block is flagged; a later publish of the same bytes is known", async () => {
  const stream = new PassThrough();
  let bytes = new Uint8Array(0);
  await withFleet({}, async ({ fleet, publish: run }) => {
    const publishing = run({ kind: "stream", stream, fileName: "log" });
    stream.write("first line\n");
    // All but the newest byte soon, that one after the hold-back time.
    await until(() => fleet.heldBytes >= 10);
    assert.equal(fleet.manifest.isComplete, false);
    await until(() => fleet.heldBytes === 11);
    stream.write(bytesOf(5_000_000, 2));
    await until(() => fleet.heldBytes >= 5_000_000);
    stream.end("last");
    const result = await publishing;
    assert.equal(result.outcome, "committed");
    const expected = Buffer.concat([Buffer.from("first line\n"), bytesOf(5_000_000, 2), Buffer.from("last")]);
    assert.ok(fleet.content("log").equals(expected));
    assert.equal(result.bytes, expected.length);
    const [file] = fleet.manifest.files;
    assert.ok(file?.growing === true && file.ended);
    assert.deepEqual(
      fleet.receivers.flatMap((receiver) => [...receiver.finals]),
      [file.blockCount - 1],
    );
    bytes = new Uint8Array(fleet.manifestBytes);
  });
  const folder = mkdtempSync(join(tmpdir(), "sluice-grown-"));
  const content = Buffer.concat([Buffer.from("first line\n"), bytesOf(5_000_000, 2), Buffer.from("last")]);
  writeFileSync(join(folder, "log"), content);
  const onBegin: FakeFleetOptions["onBegin"] = ({ publishId }) => ({ type: "already", publishId });
  await withFleet({ base: { bytes, isSame: true }, onBegin }, async ({ publish: run }) => {
    assert.equal(
      (await run({ kind: "stream", stream: new PassThrough().end(content), fileName: "log" })).outcome,
      "already",
    );
    assert.equal((await run({ kind: "tree", path: join(folder, "log") })).outcome, "already");
    content[3] = 1;
    writeFileSync(join(folder, "log"), content);
    await fails(run({ kind: "tree", path: join(folder, "log") }), "conflict", /"log" differs/);
  });
  rmSync(folder, { recursive: true });
});

test("a stream goes on over a restart of the controller, and an empty one is a publish too", async () => {
  const stream = new PassThrough();
  await withFleet({}, async ({ fleet, publish: run }) => {
    const publishing = run({ kind: "stream", stream, fileName: "log" });
    stream.write(bytesOf(300_000, 1));
    await until(() => fleet.heldBytes > 0);
    await fleet.stopController();
    stream.write(bytesOf(300_000, 2));
    await pause(300);
    await fleet.startController();
    stream.end(bytesOf(300_000, 3));
    assert.equal((await publishing).bytes, 900_000);
    assert.ok(fleet.content("log").equals(Buffer.concat([1, 2, 3].map((seed) => bytesOf(300_000, seed)))));
  });
  await withFleet({}, async ({ fleet, publish: run }) => {
    const result = await run({ kind: "stream", stream: new PassThrough().end(), fileName: "log" });
    assert.equal(result.bytes, 0);
    assert.ok(fleet.isCommitted);
  });
});

test("of a stream no more than a bound is kept while receivers do not flush", async () => {
  let open: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  await withFleet({ receivers: 1 }, async ({ fleet, publish: run }) => {
    fleet.receivers[0]!.flushGate = gate;
    const stream = new PassThrough({ highWaterMark: 1024 * 1024 });
    const publishing = run({ kind: "stream", stream, fileName: "log" });
    let written = 0;
    const part = bytesOf(1024 * 1024, 1);
    const writing = (async () => {
      while (written < 100) {
        // No two parts are equal: equal blocks are not kept twice.
        part.writeUInt32LE(written, 0);
        written += 1;
        if (!stream.write(Buffer.from(part))) await new Promise((resolve) => stream.once("drain", resolve));
      }
      stream.end();
    })();
    await until(() => written >= 64);
    await pause(300);
    assert.ok(written < 80, `${written} MiB were taken`);
    open();
    await writing;
    await publishing;
    assert.equal(fleet.content("log").length, 100 * 1024 * 1024);
  });
});

test("a followed file: until it is idle, or its writer has ended; not if it is cut or replaced", async () => {
  await withFleet({}, async ({ fleet, folder, publish: run }) => {
    const path = join(folder, "log");
    writeFileSync(path, "one\n");
    const publishing = run({ kind: "follow", path, fileName: undefined, end: { afterIdleMilliseconds: 2_000 } });
    await until(() => fleet.heldBytes >= 3);
    appendFileSync(path, "two\n");
    await until(() => fleet.heldBytes >= 7);
    appendFileSync(path, bytesOf(6_000_000, 3));
    const result = await publishing;
    assert.equal(result.bytes, 6_000_008);
    assert.ok(fleet.content("log").equals(Buffer.concat([Buffer.from("one\ntwo\n"), bytesOf(6_000_000, 3)])));
  });
  await withFleet({}, async ({ fleet, folder, publish: run }) => {
    const path = join(folder, "log");
    writeFileSync(path, "one\n");
    let runs = true;
    const publishing = run({ kind: "follow", path, fileName: "renamed", end: { writerRuns: () => runs } });
    await pause(100);
    appendFileSync(path, "two\n");
    runs = false;
    await publishing;
    assert.equal(fleet.content("renamed").toString(), "one\ntwo\n");
  });
  for (const disturb of [
    (path: string) => truncateSync(path, 2),
    (path: string) => (rmSync(path), writeFileSync(path, "other")),
  ]) {
    await withFleet({}, async ({ fleet, folder, publish: run }) => {
      const path = join(folder, "log");
      writeFileSync(path, "one\n");
      const publishing = run({ kind: "follow", path, fileName: undefined, end: { afterIdleMilliseconds: 60_000 } });
      const failing = fails(publishing, "failed", /log" (got shorter|was replaced or removed) while it was followed/);
      await until(() => fleet.heldBytes > 0);
      disturb(path);
      await failing;
      await until(() => fleet.heard.some((message) => message.type === "abort"));
    });
  }
});
