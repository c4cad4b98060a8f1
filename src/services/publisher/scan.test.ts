import test from "node:test";
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { UserError } from "../../std/errors.ts";
import { Manifest } from "../../model/manifest.ts";
import { buildManifest, firstDifference, timesDiffer } from "../../control/publisher/content-plan.ts";
import { HashWorkerPool } from "../../platform/hash-worker-pool.ts";
import { blockBytesAfter, filesByPath } from "../../control/publisher/content-plan.ts";
import { hashTree } from "./hash-tree.ts";
import { scanTree } from "./scan.ts";

/** Runs with a folder of its own. */
async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-scan-"));
  try {
    await run(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const refused = (path: string, pattern: RegExp): Promise<void> =>
  assert.rejects(
    () => scanTree(path),
    (error) => error instanceof UserError && pattern.test(error.message) && !error.message.includes("\n"),
  );

test("names of every kind that is UTF-8, empty folders, links inside, modes and times", async () =>
  inFolder(async (folder) => {
    const names = [
      "a b",
      "-rf",
      "line\nbreak",
      "ümläut",
      "日本語",
      "🙂",
      'quote"back\\slash',
      "x".repeat(255),
      ".hidden",
      "a",
      "a-b",
    ];
    for (const name of names) writeFileSync(join(folder, name), name);
    mkdirSync(join(folder, "empty"));
    mkdirSync(join(folder, "deep/er"), { recursive: true });
    writeFileSync(join(folder, "deep/er/none"), "");
    symlinkSync("../a b", join(folder, "deep/up"));
    symlinkSync("nowhere", join(folder, "dangling"));
    symlinkSync("loop", join(folder, "loop"));
    chmodSync(join(folder, "a"), 0o4750);
    utimesSync(join(folder, "a"), 5, 1_234_567.891);
    const { entries, files, totalBytes } = await scanTree(folder);
    const paths = entries.map(({ path }) => path);
    const expected = [...names, "empty", "deep", "deep/er", "deep/er/none", "deep/up", "dangling", "loop"];
    assert.deepEqual(paths, expected.sort());
    assert.equal(files.length, names.length + 1);
    assert.equal(
      totalBytes,
      names.reduce((sum, name) => sum + Buffer.byteLength(name), 0),
    );
    const file = files.find(({ path }) => path === "a");
    assert.equal(file?.mode, 0o750);
    assert.equal(file?.modifiedMilliseconds, 1_234_567_891);
    assert.deepEqual(
      entries.find(({ path }) => path === "deep/up"),
      { kind: "link", path: "deep/up", target: "../a b" },
    );
  }));

test("one file is published under its own name, also through a link and with a slash behind", async () =>
  inFolder(async (folder) => {
    writeFileSync(join(folder, "data.bin"), "abc");
    symlinkSync("data.bin", join(folder, "latest"));
    assert.deepEqual(
      (await scanTree(join(folder, "data.bin"))).entries.map(({ path }) => path),
      ["data.bin"],
    );
    const linked = await scanTree(join(folder, "latest"));
    assert.equal(linked.files[0]?.path, "latest");
    assert.equal(linked.files[0]?.source, join(folder, "data.bin"));
    mkdirSync(join(folder, "tree"));
    writeFileSync(join(folder, "tree/one"), "1");
    assert.deepEqual(
      (await scanTree(`${folder}/tree/`)).entries.map(({ path }) => path),
      ["one"],
    );
  }));

test("what cannot be published is refused by name", async () =>
  inFolder(async (folder) => {
    await refused(join(folder, "missing"), /missing" does not exist/);
    const make = (name: string): string => {
      const path = join(folder, name);
      mkdirSync(path);
      return path;
    };
    const bytes = make("bytes");
    writeFileSync(Buffer.concat([Buffer.from(`${bytes}/caf`), Buffer.from([0xe9])]), "x");
    await refused(bytes, /a name in ".*bytes" is not valid UTF-8: "caf\\xe9"/);
    const pipe = make("pipe");
    execFileSync("/bin/sh", ["-c", `mkfifo "$0"`, join(pipe, "p")]);
    await refused(pipe, /pipe\/p" is a named pipe/);
    await refused(join(pipe, "p"), /is a named pipe/);
    const socketFolder = make("socket");
    const server = createServer().listen(join(socketFolder, "s"));
    await once(server, "listening");
    await refused(socketFolder, /socket\/s" is a socket/);
    server.close();
    await refused("/dev/null", /is a device/);
    const outside = [
      ["up", "../x"],
      ["absolute", "/etc/passwd"],
      ["chain", "here/../.."],
    ] as const;
    for (const [name, target] of outside) {
      const tree = make(name);
      symlinkSync(".", join(tree, "here"));
      symlinkSync(target, join(tree, "link"));
      await refused(tree, /the link "link" points to ".*", out of what is published/);
    }
    const badLink = make("bad-link");
    symlinkSync(Buffer.from([0x61, 0xff]), join(badLink, "link"));
    await refused(badLink, /not valid UTF-8/);
  }));

test("a file that changes between the scan and its checksum is noticed; one that cannot be read is named", async () =>
  inFolder(async (folder) => {
    const pool = new HashWorkerPool(1);
    const hashed = async (change: () => void): Promise<unknown> => {
      writeFileSync(join(folder, "small"), "one");
      writeFileSync(join(folder, "large"), Buffer.alloc(700_000));
      const { files } = await scanTree(folder);
      change();
      return hashTree(pool, files, { algorithm: "blake3", blockBytesOf: () => 262_144 });
    };
    const map = (await hashed(() => undefined)) as Map<string, Uint8Array>;
    assert.equal(map.get("small")?.length, 32);
    assert.equal(map.get("large")?.length, 96);
    await assert.rejects(
      hashed(() => writeFileSync(join(folder, "small"), "two")),
      /small" changed/,
    );
    await assert.rejects(
      hashed(() => writeFileSync(join(folder, "large"), Buffer.alloc(700_000, 1))),
      /large" changed/,
    );
    await assert.rejects(
      hashed(() => rmSync(join(folder, "small"))),
      /small" changed/,
    );
    if (process.getuid?.() !== 0) {
      await assert.rejects(
        hashed(() => chmodSync(join(folder, "small"), 0)),
        /no permission to read|changed/,
      );
    }
    await pool.close();
  }));

test("property: any tree becomes a manifest that says the same, and file versions rise with content only", async () => {
  const pool = new HashWorkerPool(1);
  const name = fc.stringMatching(/^[a-zé🙂 ]{1,6}$/u).filter((text) => text.trim() !== "");
  const tree = fc.dictionary(name, fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.constant("folder" as const)), {
    maxKeys: 8,
  });
  await fc.assert(
    fc.asyncProperty(tree, fc.boolean(), async (content, change) =>
      inFolder(async (folder) => {
        const publish = async (before: Manifest | undefined): Promise<Manifest> => {
          const scan = await scanTree(folder);
          const earlier = filesByPath(before);
          const checksums = await hashTree(pool, scan.files, {
            algorithm: "blake3",
            blockBytesOf: (file) => blockBytesAfter(file.lengthBytes, earlier.get(file.path)),
          });
          const of = (path: string): Uint8Array => checksums.get(path)!;
          const manifest = Manifest.decode(buildManifest("blake3", scan.entries, of, before).toBytes());
          assert.equal(firstDifference(scan.entries, manifest), undefined);
          assert.equal(timesDiffer(scan.entries, manifest), false);
          return manifest;
        };
        for (const [path, bytes] of Object.entries(content)) {
          if (bytes === "folder") mkdirSync(join(folder, path));
          else writeFileSync(join(folder, path), bytes);
        }
        const first = await publish(undefined);
        assert.ok(first.isComplete && first.files.every((file) => file.version === 1));
        writeFileSync(join(folder, "zz"), change ? "b" : "a");
        const second = await publish(first);
        writeFileSync(join(folder, "zz"), "b");
        const third = await publish(second);
        assert.equal(third.files.find((file) => file.path === "zz")?.version, change ? 1 : 2);
        assert.ok(third.files.every((file) => file.path === "zz" || file.version === 1));
        assert.equal(firstDifference((await scanTree(folder)).entries, first), "zz");
      }),
    ),
    { numRuns: 25 },
  );
  await pool.close();
});
