import { strict as assert } from "node:assert";
import { execFileSync } from "node:child_process";
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { appendFile, chmod, mkdir, readFile, rm, symlink, truncate, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { RangeSet } from "../../std/ranges.ts";
import { UserError } from "../../std/errors.ts";
import { Manifest } from "../../model/manifest.ts";
import type { AgentDocument } from "../../control/agent/agent-document.ts";
import {
  begin,
  example,
  exampleMilliseconds,
  fill,
  noise,
  readBack,
  shared,
  storeWhole,
  withDirectory,
} from "./agent-store.testing.ts";
import type { Example } from "./agent-store.testing.ts";
import { DiskAgentStore } from "./disk-agent-store.ts";

const key = "demo@1";

/** Runs a program of the system; throws if there is none or it fails. */
function run(program: string, words: readonly string[]): void {
  execFileSync(program, words, { stdio: "ignore" });
}

/** Runs `work` with an open store in a fresh directory. */
async function withStore(work: (store: DiskAgentStore, data: string) => Promise<void>): Promise<void> {
  await withDirectory(async (directory) => {
    const data = join(directory, "data");
    const store = new DiskAgentStore(data);
    await store.open();
    try {
      await work(store, data);
    } finally {
      await store.close();
    }
  });
}

async function reopened(
  store: DiskAgentStore,
  data: string,
  work: (again: DiskAgentStore, contents: Awaited<ReturnType<DiskAgentStore["open"]>>) => Promise<void>,
): Promise<void> {
  await store.close();
  const again = new DiskAgentStore(data);
  const contents = await again.open();
  try {
    await work(again, contents);
  } finally {
    await again.close();
  }
}

const document = (term: number): AgentDocument => ({
  format: 1,
  term,
  keepVersions: 2,
  fileSets: [],
  active: [],
  failures: [],
  nextFailureId: 1,
});

const everyName = [
  "new\nline",
  "quote'\"`",
  "emoji 🚰",
  "caf\u00e9",
  "cafe\u0301",
  "-rf",
  " leading and trailing ",
  "back\\slash",
  "*?[]{}$;&|<>~#!%",
  "x".repeat(255),
  "é".repeat(127),
  "\u0001\u007f\u202e",
  ".hidden",
  "current",
];

describe("a file set on the disk", () => {
  it("has every name, mode, time, link, empty directory and empty file that was published", async () => {
    await withStore(async (store, data) => {
      const files = everyName.flatMap((name, index) => [
        {
          path: name,
          content: noise(index * 700, index),
          mode: 0o600 + index,
          modifiedMilliseconds: exampleMilliseconds + index,
        },
        { path: `dir/${name}`, content: noise(2500, index + 100), modifiedMilliseconds: -1 - index },
      ]);
      files.push({ path: "secret", content: noise(10, 99), mode: 0, modifiedMilliseconds: 1 });
      const from = example({
        files,
        directories: [
          { path: "dir", mode: 0o555, modifiedMilliseconds: 1_234_567_890_001 },
          { path: "empty", mode: 0o700, modifiedMilliseconds: 999 },
          { path: "empty/deep", mode: 0o111 },
        ],
        links: [
          { path: "link", target: "dir/-rf" },
          { path: "dir/dangling", target: "no\nwhere" },
        ],
      });
      await storeWhole(store, key, from);
      const tree = join(data, "filesets", "demo", "1");
      for (const file of files) {
        const found = lstatSync(join(tree, file.path));
        assert.equal(found.mode & 0o7777, file.mode ?? 0o644, file.path);
        assert.equal(Math.floor(found.mtimeMs), file.modifiedMilliseconds, file.path);
        if (process.getuid?.() === 0 || file.mode !== 0) {
          assert.ok(readFileSync(join(tree, file.path)).equals(file.content), file.path);
        }
      }
      assert.equal(readlinkSync(join(tree, "link")), "dir/-rf");
      assert.equal(readlinkSync(join(tree, "dir/dangling")), "no\nwhere");
      assert.equal(statSync(join(tree, "dir")).mode & 0o777, 0o555);
      assert.equal(Math.floor(statSync(join(tree, "dir")).mtimeMs), 1_234_567_890_001);
      assert.equal(Math.floor(statSync(join(tree, "empty")).mtimeMs), 999);
      assert.equal(readdirSync(tree).length, everyName.length + 4);
      const verified = await store.verifyAll();
      assert.equal(verified[0]?.damaged.count, 0);
      // What is finished can be finished again, and deleted whatever its modes are.
      await store.finish(key);
      await store.delete(key);
      assert.deepEqual(readdirSync(join(data, "filesets")), []);
      assert.deepEqual(readdirSync(join(data, "staging")), ["growing"]);
      assert.deepEqual(readdirSync(join(data, "state", "held")), []);
    });
  });

  it("takes good blocks of a run and no bad one, in large files and small ones", async () => {
    await withStore(async (store, data) => {
      const from = example({
        files: [
          { path: "large", content: noise(5500) },
          { path: "small", content: noise(300, 2) },
          { path: "other", content: noise(400, 3) },
        ],
      });
      assert.equal((await begin(store, key, from)).count, 0);
      const bytes = shared(from.bytes(0, 8));
      for (const at of [2500, 5550]) bytes[at] = 255 - (bytes[at] ?? 0);
      const { bad, alsoStored } = await store.writeBlocks(key, 0, 8, bytes);
      assert.deepEqual([...bad], [2, 6]);
      assert.ok(alsoStored.isEmpty);
      assert.equal(existsSync(join(data, "filesets/demo/1/small")), false);
      assert.equal(await readBack(store, key, from, 2, 3), "absent");
      assert.equal(await readBack(store, key, from, 1, 4), "absent");
      assert.deepEqual(await readBack(store, key, from, 3, 6), from.bytes(3, 6).slice());
      assert.deepEqual(readFileSync(join(data, "filesets/demo/1/large")).subarray(2000, 3000), Buffer.alloc(1000));
      await assert.rejects(store.finish(key), UserError);
      await store.writeBlocks(key, 2, 3, from.bytes(2, 3));
      await store.writeBlocks(key, 6, 7, shared(from.bytes(6, 7)));
      await store.finish(key);
      assert.deepEqual(await readBack(store, key, from, 0, 8), from.bytes(0, 8).slice());
      // Also a part of a run, as a sender of large blocks reads it.
      const part = new Uint8Array(1300);
      assert.equal(await store.readBlocks(key, 1, 8, part, 3900), "read");
      assert.deepEqual(part, from.bytes(1, 8).slice(3900, 5200));
      await assert.rejects(store.writeBlocks(key, 0, 9, bytes), RangeError);
      await assert.rejects(store.writeBlocks(key, 0, 2, bytes), RangeError);
    });
  });

  it("keeps what was just written in memory for those who read, and gives out the same bytes", async () => {
    await withStore(async (store, data) => {
      const from = example({ files: [{ path: "a", content: noise(100_000) }] });
      await begin(store, key, from);
      await store.writeBlocks(key, 0, 1, shared(from.bytes(0, 1)));
      store.noteServing();
      await store.writeBlocks(key, 1, 50, shared(from.bytes(1, 50)));
      // Changed on the disk, which is not read for this.
      await truncate(join(data, "filesets/demo/1/a"), 0);
      assert.deepEqual(await readBack(store, key, from, 3, 50), from.bytes(3, 50).slice());
      assert.equal(await readBack(store, key, from, 0, 3), "changed");
    });
  });

  it("fills the copies of a block in the same file set, wherever they are", async () => {
    await withStore(async (store, data) => {
      const content = Buffer.concat([noise(1000, 5), noise(1000, 6), noise(1000, 5), noise(1000, 5)]);
      const from = example({
        files: [
          { path: "a", content },
          { path: "b/c", content: noise(1000, 5) },
          { path: "d", content: noise(1000, 6) },
        ],
      });
      await begin(store, key, from);
      const { alsoStored } = await store.writeBlocks(key, 0, 1, shared(from.bytes(0, 1)));
      assert.deepEqual(alsoStored.toFlat(), [2, 5]);
      const bad = shared(from.bytes(1, 2));
      bad[0] = 255 - (bad[0] ?? 0);
      assert.deepEqual(await store.writeBlocks(key, 1, 2, bad), { bad: [1], alsoStored: new RangeSet() });
      await store.writeBlocks(key, 1, 2, shared(from.bytes(1, 2)));
      await store.finish(key);
      assert.ok(readFileSync(join(data, "filesets/demo/1/a")).equals(content));
    });
  });

  it("copies what any version holds, whole files and single blocks, and hashes on the way", async () => {
    await withStore(async (store, data) => {
      const large = noise(400_000, 7);
      const first = example({
        files: [
          { path: "kept", content: noise(3500, 1) },
          { path: "moved", content: noise(1500, 2) },
          { path: "large", content: large },
          { path: "rotten", content: noise(1000, 3) },
          { path: "gone", content: noise(1000, 4) },
        ],
      });
      await storeWhole(store, key, first);
      const tree = join(data, "filesets/demo/1");
      const rotten = noise(1000, 3);
      rotten[17] = 255 - (rotten[17] ?? 0);
      await writeFile(join(tree, "rotten"), rotten);
      await rm(join(tree, "gone"));
      const damaged = new RangeSet();
      store.onDamaged((fileSet, blocks) => {
        if (fileSet === key) damaged.addAll(blocks);
      });
      const second = example({
        files: [
          { path: "kept", content: noise(3500, 1) },
          { path: "elsewhere/large", content: large, mode: 0o400 },
          {
            path: "mixed",
            content: Buffer.concat([noise(1000, 9), noise(1500, 2).subarray(0, 1000), noise(1000, 2).subarray(0, 5)]),
          },
          { path: "rotten", content: noise(1000, 3) },
          { path: "gone", content: noise(1000, 4) },
        ],
      });
      const held = await begin(store, "demo@2", second);
      assert.deepEqual(held.toFlat(), [0, 404, 405, 406]);
      assert.deepEqual(damaged.toFlat(), [406, 408]);
      await fill(store, "demo@2", second, held);
      await store.finish("demo@2");
      assert.ok(readFileSync(join(data, "filesets/demo/2/elsewhere/large")).equals(large));
      assert.equal(statSync(join(data, "filesets/demo/2/elsewhere/large")).mode & 0o777, 0o400);
      assert.equal((await store.verifyAll())[1]?.damaged.count, 0);
    });
  });

  it("moves current at once, and only to what is finished", async () => {
    await withStore(async (store, data) => {
      const from = example({ files: [{ path: "a", content: noise(10) }] });
      await storeWhole(store, key, from);
      await begin(store, "demo@2", from);
      await assert.rejects(store.activate("demo", "2"), UserError);
      await store.activate("demo", "1");
      assert.equal(readlinkSync(join(data, "filesets/demo/current")), "1");
      await assert.rejects(store.delete(key), /active version/);
      await store.finish("demo@2");
      await store.activate("demo", "2");
      assert.equal(readFileSync(join(data, "filesets/demo/current/a")).length, 10);
      await store.delete(key);
      await reopened(store, data, async (again, contents) => {
        assert.deepEqual(contents.current, [{ name: "demo", version: "2" }]);
        await again.activate("demo", null);
        await again.activate("none", null);
        await again.delete("demo@2");
        assert.deepEqual(readdirSync(join(data, "filesets")), []);
      });
    });
  });

  it("removes what does not belong into a finished tree, and what is in its way before", async () => {
    await withStore(async (store, data) => {
      const outside = join(data, "outside");
      await mkdir(outside);
      await writeFile(join(outside, "precious"), "precious");
      const tree = join(data, "filesets/demo/1");
      await mkdir(join(tree, "file", "below"), { recursive: true });
      await mkdir(join(tree, "extra", "deep"), { recursive: true });
      await chmod(join(tree, "extra"), 0);
      await symlink(outside, join(tree, "dir"));
      await symlink(join(outside, "precious"), join(tree, "linked"));
      run("mkfifo", [join(tree, "pipe")]);
      const from = example({
        directories: [{ path: "dir" }],
        files: ["file", "dir/precious", "linked", "pipe", "empty"].map((path, index) => ({
          path,
          content: noise(index < 4 ? 1500 : 0, index),
        })),
        links: [{ path: "link", target: "file" }],
      });
      await storeWhole(store, key, from);
      assert.deepEqual(readdirSync(tree).sort(), ["dir", "empty", "file", "link", "linked", "pipe"]);
      assert.equal(readFileSync(join(outside, "precious"), "utf8"), "precious");
      assert.deepEqual(readdirSync(outside), ["precious"]);
      assert.equal((await store.verifyAll())[0]?.damaged.count, 0);
    });
  });
});

describe("what others change underneath", () => {
  const files = [
    { path: "a", content: noise(3000, 1) },
    { path: "b", content: noise(3000, 2) },
    { path: "c", content: noise(3000, 3) },
  ];
  const changes: [string, (path: string) => Promise<void>][] = [
    ["appended to", async (path) => appendFile(path, "x")],
    ["shortened", async (path) => truncate(path, 1)],
    ["deleted", async (path) => rm(path)],
    ["replaced by a link", async (path) => rm(path).then(async () => symlink("a", path))],
    ["overwritten", async (path) => writeFile(path, noise(3000, 9))],
    ["given another time", async (path) => utimes(path, 5, 5)],
    [
      "replaced by a copy",
      async (path) => {
        const copy = await readFile(path);
        await rm(path);
        await writeFile(path, copy);
      },
    ],
  ];
  for (const [name, change] of changes) {
    it(`is noticed before it is served, and when the store opens: ${name}`, async () => {
      await withStore(async (store, data) => {
        const from = example({ files });
        await storeWhole(store, key, from);
        const heard: string[] = [];
        store.onDamaged((_, blocks) => void heard.push(`damaged ${blocks.toFlat().join("-")}`));
        store.onRecovered((_, blocks) => void heard.push(`recovered ${blocks.toFlat().join("-")}`));
        await change(join(data, "filesets/demo/1/b"));
        assert.equal(await readBack(store, key, from, 2, 5), "changed");
        assert.equal(await readBack(store, key, from, 3, 4), "absent");
        assert.deepEqual(await readBack(store, key, from, 0, 3), from.bytes(0, 3).slice());
        assert.equal(heard[0], "damaged 3-6");
        const held = await store.prepare(key, from.manifest);
        const isStillGood = ["given another time", "replaced by a copy", "appended to"].includes(name);
        assert.equal(held.hasRange(3, 6), isStillGood, held.toFlat().join("-"));
        assert.equal(heard.includes("recovered 3-6"), isStillGood);
        await fill(store, key, from, held);
        await store.finish(key);
        assert.deepEqual(await readBack(store, key, from, 0, 9), from.bytes(0, 9).slice());
        assert.equal(statSync(join(data, "filesets/demo/1/b")).size, 3000);

        await change(join(data, "filesets/demo/1/c"));
        await reopened(store, data, async (again, { stored }) => {
          assert.deepEqual(stored[0]?.held.toFlat(), [0, 6]);
          assert.equal(await readBack(again, key, from, 6, 7), "absent");
          const manifest = Manifest.decode(stored[0]?.manifestBytes ?? new Uint8Array());
          assert.equal((await again.prepare(key, manifest)).hasRange(6, 9), isStillGood);
        });
      });
    });
  }

  it("is noticed by writing to it too", async () => {
    await withStore(async (store, data) => {
      const from = example({ files });
      await begin(store, key, from);
      await store.writeBlocks(key, 0, 2, shared(from.bytes(0, 2)));
      const damaged = new RangeSet();
      store.onDamaged((_, blocks) => damaged.addAll(blocks));
      const path = join(data, "filesets/demo/1/a");
      const bytes = await readFile(path);
      bytes[500] = 255 - (bytes[500] ?? 0);
      await writeFile(path, bytes);
      await store.writeBlocks(key, 2, 3, shared(from.bytes(2, 3)));
      assert.deepEqual(damaged.toFlat(), [0, 2]);
      assert.deepEqual((await store.prepare(key, from.manifest)).toFlat(), [1, 3]);
    });
  });

  it("is found by verifying also where nothing looks different, and is put right from other files", async () => {
    await withStore(async (store, data) => {
      const from = example({ files: [...files, { path: "d", content: noise(3000, 2) }] });
      await storeWhole(store, key, from);
      for (const name of ["a", "b"]) {
        const path = join(data, "filesets/demo/1", name);
        const { mtimeMs, size } = statSync(path);
        const bytes = await readFile(path);
        bytes[1500] = 255 - (bytes[1500] ?? 0);
        await writeFile(path, bytes);
        const seconds = mtimeMs / 1000;
        await utimes(path, seconds, seconds);
        assert.equal(statSync(path).size, size);
      }
      const recovered = new RangeSet();
      store.onRecovered((_, blocks) => recovered.addAll(blocks));
      const [verified] = await store.verifyAll();
      assert.deepEqual(verified?.damaged.toFlat(), [1, 2, 4, 5]);
      assert.equal(verified?.checkedBlocks, 12);
      const held = await store.prepare(key, from.manifest);
      assert.deepEqual(held.toFlat(), [0, 1, 2, 12]);
      assert.ok(recovered.has(4));
      await store.discard(key, 7, 8);
      assert.equal((await store.prepare(key, from.manifest)).has(7), false);
    });
  });
});

describe("opening a store", () => {
  it("makes an identity that stays, and remembers its document", async () => {
    await withStore(async (store, data) => {
      const { agentId } = store.identity;
      assert.match(agentId, /^[0-9a-f]{32}$/);
      await Promise.all([1, 2, 3].map(async (term) => store.saveDocument(document(term))));
      await reopened(store, data, async (again, contents) => {
        assert.equal(again.identity.agentId, agentId);
        assert.deepEqual(contents.document, document(3));
        assert.deepEqual(contents.stored, []);
        assert.ok((await again.freeDiskBytes()) > 0);
      });
    });
  });

  it("refuses a directory that is in use, of another format, or damaged, with one line", async () => {
    await withDirectory(async (directory) => {
      const data = join(directory, "data");
      const store = new DiskAgentStore(data);
      await store.open();
      const other = new DiskAgentStore(data);
      await assert.rejects(other.open(), { message: `data directory ${data} is in use by process ${process.pid}` });
      await store.saveDocument(document(1));
      await store.close();
      const spoil = async (name: string, text: string, message: RegExp): Promise<void> => {
        const path = join(data, "state", name);
        const before = await readFile(path);
        await writeFile(path, text);
        await assert.rejects(
          new DiskAgentStore(data).open(),
          (error) => error instanceof UserError && message.test(error.message),
        );
        await writeFile(path, before);
      };
      await spoil(
        "format.json",
        '{"format":"sluice agent data","major":2,"minor":0}',
        /data format 2, this program reads 1/,
      );
      await spoil("format.json", '{"format":"other","major":1,"minor":0}', /another program/);
      await spoil("identity.json", "{}", /identity.json is damaged/);
      await spoil("document.json", "{", /document.json is damaged/);
      await store.open();
      await store.close();
      await writeFile(join(directory, "file"), "");
      await assert.rejects(new DiskAgentStore(join(directory, "file")).open(), /is not a directory/);
    });
  });

  it("goes on where it was closed: a prefix of the manifest, blocks, and files that nobody recorded", async () => {
    await withStore(async (store, data) => {
      const from = example({
        files: Array.from({ length: 20 }, (_, index) => ({ path: `f${index}`, content: noise(1500, index) })),
      });
      await store.storeManifest(key, 0, from.log.subarray(0, 100));
      await store.storeManifest(key, 100, from.log.subarray(100, 150));
      await assert.rejects(store.storeManifest(key, 100, from.log.subarray(100, 150)), RangeError);
      await reopened(store, data, async (again, { stored }) => {
        assert.deepEqual(Buffer.from(stored[0]?.manifestBytes ?? []), Buffer.from(from.log.subarray(0, 150)));
        await again.storeManifest(key, 150, from.log.subarray(150));
        assert.deepEqual(Buffer.from(await again.readManifest(key, 90, 100)), Buffer.from(from.log.subarray(90, 190)));
        await again.prepare(key, from.manifest);
        await again.writeBlocks(key, 4, 11, shared(from.bytes(4, 11)));
        await reopened(again, data, async (third, { stored }) => {
          assert.deepEqual(stored[0]?.held.toFlat(), [4, 11]);
          const manifest = Manifest.decode(stored[0]?.manifestBytes ?? new Uint8Array());
          assert.deepEqual((await third.prepare(key, manifest)).toFlat(), [4, 11]);
          await fill(third, key, from, RangeSet.of(4, 11));
          await third.finish(key);
          await third.close();
          // Without journal and manifest, everything is found again by hashing.
          await rm(join(data, "state/held"), { recursive: true });
          await third.open();
          const held = await begin(third, key, from);
          assert.equal(held.count, 40);
        });
      });
    });
  });

  it("throws away what a crash has left, and drops a manifest that is damaged", async () => {
    await withStore(async (store, data) => {
      const from = example({ files: [{ path: "a", content: noise(1500) }] });
      await storeWhole(store, key, from);
      await mkdir(join(data, "staging/deleted-1/x"), { recursive: true });
      await mkdir(join(data, "staging/growing/demo/9"), { recursive: true });
      await writeFile(join(data, "staging/current-1"), "");
      const path = join(data, "state/manifests/demo/1.manifest");
      const bytes = await readFile(path);
      bytes[20] = 255 - (bytes[20] ?? 0);
      await store.close();
      await writeFile(path, bytes);
      const contents = await store.open();
      assert.deepEqual(readdirSync(join(data, "staging")), ["growing"]);
      assert.deepEqual(
        contents.stored.map(({ manifestBytes, held }) => [manifestBytes.length, held.count]),
        [[0, 0]],
      );
      assert.equal((await begin(store, key, from)).count, 2);
      await store.finish(key);
    });
  });
});

describe("hostile manifests", () => {
  it("cannot name a place outside", () => {
    for (const path of ["../x", "/x", "a/../../x", "a//b", "."]) {
      assert.throws(() => example({ files: [{ path, content: noise(1) }] }), UserError);
    }
    assert.throws(() => example({ links: [{ path: "l", target: "../x" }] }), UserError);
    assert.throws(
      () => example({ links: [{ path: "l", target: "." }], files: [{ path: "l/x", content: noise(1) }] }),
      UserError,
    );
  });
});

describe("a full disk", () => {
  const isRoot = process.getuid?.() === 0 && process.platform === "linux";
  it(
    "is an error with one line, loses nothing, and ends when there is room again",
    { skip: isRoot ? false : "needs root, to mount a small file system" },
    async (context) => {
      await withDirectory(async (directory) => {
        try {
          run("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", directory]);
        } catch {
          context.skip("no file system can be mounted here");
          return;
        }
        try {
          const store = new DiskAgentStore(join(directory, "data"));
          await store.open();
          const from: Example = example({ files: [{ path: "a", content: noise(4_000_000), blockBytes: 100_000 }] });
          await begin(store, key, from);
          const writeNext = async (block: number): Promise<unknown> => {
            try {
              await store.writeBlocks(key, block, block + 1, shared(from.bytes(block, block + 1)));
              return undefined;
            } catch (reason) {
              return reason;
            }
          };
          let held = 0;
          let error = await writeNext(held);
          while (error === undefined) {
            held += 1;
            error = await writeNext(held);
          }
          assert.ok(error instanceof UserError);
          assert.equal(error.message, `no space left on ${join(directory, "data")}`);
          await store.flush(key).catch(() => undefined);
          run("mount", ["-o", "remount,size=16m", directory]);
          await store.flush(key);
          assert.deepEqual(await readBack(store, key, from, 0, held), from.bytes(0, held).slice());
          await fill(store, key, from, RangeSet.of(0, held));
          await store.finish(key);
          await store.close();
          assert.deepEqual((await store.open()).stored[0]?.held.toFlat(), [0, 40]);
          await store.close();
        } finally {
          run("umount", ["-l", directory]);
        }
      });
    },
  );
});
