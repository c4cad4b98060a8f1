/** What `npm pack` makes installs into an empty directory without a compiler, and works there. */
import { strict as assert } from "node:assert";
import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { z } from "zod";
import { contentOf } from "./support/content.ts";
import { Program } from "./support/program.ts";
import { waitUntil } from "./support/waiting.ts";

const runFile = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
const testTimeoutMilliseconds = 240_000;
/** What would be called to compile something. */
const compilers = ["cc", "gcc", "g++", "c++", "clang", "clang++", "make", "node-gyp", "cargo", "rustc"];
const packedSchema = z.array(z.object({ filename: z.string(), files: z.array(z.object({ path: z.string() })) }));

/** A directory of programs that only note that they were called, and fail. */
async function writeTrapsForCompilers(directory: string, log: string): Promise<void> {
  await mkdir(directory);
  for (const name of compilers) {
    const path = join(directory, name);
    await writeFile(path, `#!/bin/sh\necho ${name} "$@" >> ${log}\nexit 1\n`);
    await chmod(path, 0o755);
  }
}

/** Installs from what npm has kept where that will do, else from the registry. @returns why it cannot, if so */
async function install(
  tarball: string,
  directory: string,
  environment: NodeJS.ProcessEnv,
): Promise<string | undefined> {
  const words = ["install", "--no-audit", "--no-fund", "--no-save", tarball];
  let problem = "";
  for (const mode of ["--offline", "--prefer-offline"]) {
    try {
      await runFile("npm", [...words, mode], { cwd: directory, env: environment });
      return undefined;
    } catch (error) {
      problem = error instanceof Error && "stderr" in error ? String(error.stderr) : String(error);
    }
  }
  const isUnreachable = /ENOTFOUND|ECONNREFUSED|ETIMEDOUT|EAI_AGAIN|ENOTCACHED|network/.test(problem);
  if (isUnreachable) return "the packages that it needs are not in npm's cache, and the registry cannot be reached";
  throw new Error(problem);
}

async function distributeSomething(sluice: string, directory: string, environment: NodeJS.ProcessEnv): Promise<void> {
  const options = { sluice, directory, environment };
  const controller = new Program(["controller", "--data", "controller", "--listen", "127.0.0.1:0"], options);
  const url = await controller.listening();
  const agents = ["fra-0", "fra-1"].map(
    (name) =>
      new Program(
        ["agent", "--controller", url, "--data", name, "--name", name, "--site", "fra", "--listen", "127.0.0.1:0"],
        options,
      ),
  );
  await Promise.all(agents.map(async (agent) => agent.listening()));
  const content = contentOf("package", 3_000_000);
  await writeFile(join(directory, "file.bin"), content);
  const publish = ["publish", "file.bin", "--fileset", "f", "--version", "1", "--controller", url, "--wait"];
  await waitUntil("both agents are there", async () => {
    const status = new Program(["status", "--json", "--controller", url], options);
    return (await status.ended).out.includes('"online": 2');
  });
  const { code, error } = await new Program([...publish, "--timeout", "60s"], options).ended;
  assert.equal(code, 0, error);
  for (const name of ["fra-0", "fra-1"]) {
    assert.ok(content.equals(await readFile(join(directory, name, "filesets", "f", "current", "file.bin"))));
  }
  for (const program of [...agents, controller]) assert.equal((await program.stop()).code, 0);
}

describe("the package", () => {
  it("installs without a compiler, and distributes", { timeout: testTimeoutMilliseconds }, async (context) => {
    const directory = await mkdtemp(join(tmpdir(), "sluice-package-"));
    try {
      const packing = ["pack", "--ignore-scripts", "--json", "--pack-destination", directory];
      const [packed] = packedSchema.parse(JSON.parse((await runFile("npm", packing, { cwd: root })).stdout));
      assert.ok(packed);
      const paths = packed.files.map(({ path }) => path);
      assert.deepEqual(
        paths.filter((path) =>
          /\.(test|testing)\.|\.map$|\.tsbuildinfo$|^dist\/(test|demo|benchmarks|lab)\//.test(path),
        ),
        [],
        "nothing that only tests need is in it",
      );
      for (const path of ["bin/sluice", "docs/install.md", "deploy/systemd/sluice-agent.service", "LICENSE"]) {
        assert.ok(paths.includes(path), `${path} is in it`);
      }

      const log = join(directory, "compilers.log");
      await writeTrapsForCompilers(join(directory, "traps"), log);
      const path = [join(directory, "traps"), dirname(process.execPath), "/usr/bin", "/bin"].join(delimiter);
      const environment = { ...process.env, PATH: path, NODE_PATH: "" };
      const home = join(directory, "home");
      await mkdir(home);
      await writeFile(join(home, "package.json"), "{}");
      const problem = await install(join(directory, packed.filename), home, environment);
      if (problem !== undefined) {
        context.skip(problem);
        return;
      }
      assert.equal(await readFile(log, "utf8").catch(() => ""), "", "no compiler was called");
      const sluice = join(home, "node_modules", ".bin", "sluice");
      const version = await new Program(["--version"], { sluice, directory: home, environment }).ended;
      assert.match(version.out, /^\d+\.\d+\.\d+\n$/);
      await distributeSomething(sluice, home, environment);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
});
