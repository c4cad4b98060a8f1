/** What stands in deploy/ is what systemd, Kubernetes, container builders and sluice itself take. */
import { strict as assert } from "node:assert";
import { execFile, execFileSync } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { validate } from "dockerfile-utils";
import { parseAllDocuments, parse } from "yaml";
import { z } from "zod";
import { Program } from "./support/program.ts";

const runFile = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
const deploy = join(root, "deploy");
/** What systemd calls "OK", on a scale up to 10. */
const highestExposure = 3;

/** Where each kind's type stands in the package of types. */
const kinds: Readonly<Record<string, string>> = {
  Namespace: "core/v1",
  Service: "core/v1",
  ConfigMap: "core/v1",
  StatefulSet: "apps/v1",
  DaemonSet: "apps/v1",
};

let directory = "";
before(async () => {
  directory = await mkdtemp(join(tmpdir(), "sluice-deploy-"));
});
after(async () => rm(directory, { recursive: true, force: true }));

function missing(tool: string, ...words: string[]): string | false {
  try {
    execFileSync(tool, words, { stdio: "ignore" });
    return false;
  } catch {
    return `needs ${tool}`;
  }
}

/** Holds documents to the types that Kubernetes publishes: a field that is not there, or of another type, is an error. */
async function assertKubernetesTypes(documents: readonly unknown[], name: string): Promise<void> {
  const lines = documents.map((document, index) => {
    const { kind } = z.object({ kind: z.string() }).parse(document);
    const from = kinds[kind];
    assert.ok(from, `${kind} is not expected`);
    return `export const part${index}: import("kubernetes-types/${from}.js").${kind} = ${JSON.stringify(document)};`;
  });
  // Below the project, so that the compiler finds the types.
  const path = join(root, "dist", `${name}.check.ts`);
  await writeFile(path, `${lines.join("\n")}\n`);
  try {
    const flags = ["--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext", "--target", "es2023"];
    const words = [join(root, "node_modules", "typescript", "bin", "tsc"), "--ignoreConfig", ...flags, path];
    const { stdout } = await runFile(process.execPath, words, { cwd: directory }).catch((error: unknown) => {
      throw new Error(`Kubernetes would refuse it: ${String((error as { stdout?: string }).stdout)}`);
    });
    assert.equal(stdout, "");
  } finally {
    await rm(path);
  }
}

async function documentsOf(path: string): Promise<unknown[]> {
  const text = await readFile(join(deploy, path), "utf8");
  return parseAllDocuments(text).map((document) => document.toJS() as unknown);
}

describe("deploy/systemd", () => {
  const tool = "systemd-analyze";
  for (const unit of ["sluice-controller.service", "sluice-agent.service"]) {
    it(`${unit} is a unit that systemd takes, well shut in`, { skip: missing(tool, "--version") }, async () => {
      const path = join(directory, unit);
      const text = await readFile(join(deploy, "systemd", unit), "utf8");
      // The program that it starts must be there.
      await writeFile(path, text.replaceAll("/usr/bin/sluice", join(root, "bin", "sluice")));
      const { stderr } = await runFile(tool, ["verify", path]);
      assert.equal(stderr, "");
      const { stdout } = await runFile(tool, ["security", "--offline=true", path]);
      const exposure = Number(/exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1]);
      assert.ok(exposure <= highestExposure, stdout.split("\n").slice(-3).join("\n"));
    });
  }
});

describe("deploy/config", () => {
  const show = async (...words: string[]): Promise<string> => {
    const { code, out, error } = await new Program(["config", "show", "--json", ...words]).ended;
    assert.equal(code, 0, error);
    return out;
  };

  it("has config files that sluice takes, and a topology", async () => {
    assert.match(
      await show("controller", "--config", join(deploy, "config", "controller.yaml")),
      /"value": "0\.0\.0\.0:7400"/,
    );
    assert.match(await show("agent", "--config", join(deploy, "config", "agent.yaml")), /"value": "tier=web"/);
    assert.match(await show("publish", "--config", join(deploy, "config", "client.yaml")), /"value": "true"/);
    for (const topology of ["config/topology.yaml", "kubernetes/controller/topology.yaml"]) {
      const data = join(directory, topology.replaceAll("/", "-"));
      const words = ["--data", data, "--listen", "127.0.0.1:0", "--topology", join(deploy, topology)];
      const controller = new Program(["controller", ...words]);
      await controller.listening();
      await controller.stop();
    }
  });

  it("starts programs by those files alone, as the units do", async () => {
    const configDirectory = join(directory, "etc");
    await mkdir(configDirectory);
    for (const name of ["controller.yaml", "agent.yaml"]) {
      const text = await readFile(join(deploy, "config", name), "utf8");
      const local = text
        .replaceAll("/var/lib/sluice", join(directory, "state"))
        .replaceAll(/0\.0\.0\.0:\d+/g, "127.0.0.1:0");
      await writeFile(join(configDirectory, name), local.replaceAll("/etc/sluice", configDirectory));
    }
    await copyFile(join(deploy, "config", "topology.yaml"), join(configDirectory, "topology.yaml"));
    await mkdir(join(directory, "state"));
    const environment = { SLUICE_CONFIG_DIRECTORY: configDirectory };
    const controller = new Program(["controller"], { environment });
    const url = await controller.listening();
    const agent = new Program(["agent"], { environment: { ...environment, SLUICE_CONTROLLER: url } });
    await agent.listening();
    assert.equal((await agent.stop()).code, 0);
    assert.equal((await controller.stop()).code, 0);
  });
});

describe("deploy/kubernetes", () => {
  it("is what Kubernetes knows, field by field", async () => {
    const paths = ["namespace.yaml", "controller/controller.yaml", "agents/agents.yaml"];
    const documents = await Promise.all(paths.map(async (path) => documentsOf(join("kubernetes", path))));
    await assertKubernetesTypes(documents.flat(), "manifests");
    await assert.rejects(assertKubernetesTypes([{ kind: "Service", spec: { prots: [] } }], "wrong"), /prots/);
  });

  const skip = missing("kubectl", "version", "--client");
  it("is put together with agents for each site, whose options sluice knows", { skip }, async () => {
    const { stdout } = await runFile("kubectl", ["kustomize", join(deploy, "kubernetes")]);
    const documents = parseAllDocuments(stdout).map((document) => document.toJS() as unknown);
    await assertKubernetesTypes(documents, "kustomized");
    assert.match(stdout, /name: SLUICE_AGENT_SITE\n\s+value: iad/);
    const topology = documents.find(
      (document) => z.object({ kind: z.literal("ConfigMap") }).safeParse(document).success,
    );
    assert.ok(topology);
    const known = new Set((await readFile(join(root, "docs", "config.md"), "utf8")).match(/SLUICE_[A-Z_]+/g));
    for (const [name] of stdout.matchAll(/SLUICE_[A-Z_]+/g)) assert.ok(known.has(name), `${name} is an option`);
    for (const document of documents) assert.equal(typeof document, "object");
  });

  it("describes every site that it has agents for", async () => {
    const sites = parse(await readFile(join(deploy, "kubernetes", "controller", "topology.yaml"), "utf8")) as unknown;
    assert.deepEqual(Object.keys(z.object({ sites: z.record(z.string(), z.unknown()) }).parse(sites).sites), [
      "fra",
      "iad",
    ]);
  });
});

describe("deploy/container", () => {
  it("is a container file without mistakes", async () => {
    const text = await readFile(join(deploy, "container", "Containerfile"), "utf8");
    const mistakes = validate(text).map(({ range, message }) => `${range.start.line + 1}: ${JSON.stringify(message)}`);
    assert.deepEqual(mistakes, []);
    assert.notDeepEqual(validate("FORM x"), [], "a mistake would be found");
    assert.match(text, /^USER node$/m);
  });
});
