/** Every wrong use gets one clear line that says what to do and an exit code that is not zero, and leaves nothing behind. */
import { strict as assert } from "node:assert";
import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe } from "node:test";
import { contentOf, mebibyte } from "./support/content.ts";
import { agentsOf, fleetTest } from "./support/fleet.ts";
import { canLackPermissions, runTool, withoutPermissions } from "./support/rights.ts";
import { waitUntil, within } from "./support/waiting.ts";
import { assertAllClear, assertClear, assertNothingLeft, exit } from "./support/wrong-uses.ts";
import type { WrongUse } from "./support/wrong-uses.ts";

const topology = { sites: { fra: { uplink: "1Gbps" }, iad: {} } };

/** A source that cannot be published, each in a directory of its own. */
async function writeBadSources(directory: string): Promise<void> {
  const make = async (name: string): Promise<string> => {
    await mkdir(join(directory, name, "sub"), { recursive: true });
    await writeFile(join(directory, name, "file"), "content");
    return join(directory, name);
  };
  await make("good");
  await symlink("/etc/passwd", join(await make("absolute link"), "link"));
  await symlink("../../file", join(await make("climbing link"), "sub", "link"));
  const through = await make("link through a link");
  await symlink("sub", join(through, "one"));
  await symlink("one/../../out", join(through, "two"));
  runTool("mkfifo", join(await make("pipe"), "pipe"));
  await writeFile(Buffer.concat([Buffer.from(`${await make("bytes")}/`), Buffer.from([0x66, 0xff, 0xfe])]), "");
}

function publishWrongUses(at: (name: string) => string, url: string): WrongUse[] {
  const publish = (path: string, ...more: string[]): string[] => {
    const given = (option: string, value: string): string[] => (more.includes(option) ? [] : [option, value]);
    return ["publish", path, ...given("--fileset", "bad"), ...given("--version", "1"), ...more];
  };
  const good = at("good");
  const { failure, usage, unreachable } = exit;
  return [
    { name: "missing path", words: publish(at("nowhere")), code: failure, error: /"[^"]*nowhere" does not exist/ },
    { name: "path below a file", words: publish(at("good/file/x")), code: failure, error: /good\/file\/x" is not/ },
    { name: "absolute link", words: publish(at("absolute link")), code: failure, error: /link "link" .*\/etc\/passwd/ },
    { name: "climbing link", words: publish(at("climbing link")), code: failure, error: /"sub\/link" .*out of what/ },
    {
      name: "link that climbs through another",
      words: publish(at("link through a link")),
      code: failure,
      error: /link "two" .*out of what is published/,
    },
    { name: "named pipe", words: publish(at("pipe")), code: failure, error: /pipe" is a named pipe: only files/ },
    { name: "device", words: publish("/dev/null"), code: failure, error: /"\/dev\/null" is a device/ },
    {
      name: "name that is not UTF-8",
      words: publish(at("bytes")),
      code: failure,
      error: /not valid UTF-8: "f\\xff\\xfe"/,
    },
    ...["../x", "a/b", ".hidden", "-x", "a b", "", "x".repeat(129)].map((name) => ({
      name: `file set ${name}`,
      words: publish(good, `--fileset=${name}`, "--fileset"),
      code: usage,
      error: /file set name|names? of a? ?file sets?|--fileset/i,
    })),
    { name: "version current", words: publish(good, "--version", "current"), code: usage, error: /current/ },
    { name: "version ..", words: publish(good, "--version", ".."), code: usage, error: /version/ },
    { name: "selector", words: publish(good, "--to", "site in (fra"), code: usage, error: /selector|site in \(fra/ },
    {
      name: "no targets",
      words: publish(good, "--to", "tier=web"),
      code: failure,
      error: /no connected agent matches/,
    },
    {
      name: "unknown agent",
      words: publish(good, "--agent", "lhr-7"),
      code: failure,
      error: /there is no agent lhr-7/,
    },
    {
      name: "unknown site",
      words: publish(good, "--site", "lhr"),
      code: failure,
      error: /site lhr is not in the topology/,
    },
    { name: "site and agent", words: publish(good, "--site", "fra", "--agent", "fra-0"), code: usage, error: /--site/ },
    { name: "stream without a name", words: publish("-"), code: usage, error: /--as NAME/ },
    { name: "stream named ..", words: publish("-", "--as", ".."), code: failure, error: /"\.\."/ },
    { name: "stream named a path", words: publish("-", "--as", "a/b"), code: failure, error: /"a\/b"/ },
    { name: "stream with an absolute name", words: publish("-", "--as", "/etc/x"), code: failure, error: /"\/etc\/x"/ },
    { name: "follow without an end", words: publish(at("good/file"), "--follow"), code: usage, error: /--follow/ },
    {
      name: "follow a directory",
      words: publish(good, "--follow", "--final-after-idle", "1s"),
      code: failure,
      error: /no plain file/,
    },
    { name: "time without waiting", words: publish(good, "--timeout", "1s"), code: usage, error: /--wait/ },
    { name: "time without a unit", words: publish(good, "--wait", "--timeout", "9"), code: usage, error: /--timeout/ },
    { name: "priority", words: publish(good, "--priority", "high"), code: usage, error: /--priority/ },
    { name: "no path", words: ["publish", "--fileset", "bad", "--version", "1"], code: usage, error: /path/ },
    {
      name: "controller that is not there",
      words: publish(good, "--controller", "http://127.0.0.1:1", "--connect-timeout", "1s"),
      code: unreachable,
      error: /http:\/\/127\.0\.0\.1:1 cannot be reached/,
    },
    {
      name: "URL of something else",
      words: publish(good, "--controller", `${url}/elsewhere`, "--connect-timeout", "1s"),
      code: unreachable,
      error: /elsewhere/,
    },
    { name: "no URL", words: publish(good, "--controller", "here"), code: usage, error: /"here" is/ },
  ];
}

describe("publishing what cannot be published", () => {
  fleetTest(
    "says what is wrong and leaves nothing",
    { topology, agents: agentsOf({ fra: 1 }), timeoutMilliseconds: 120_000 },
    async (fleet) => {
      const directory = await fleet.makeDirectory("sources");
      await writeBadSources(directory);
      await assertAllClear(
        fleet,
        publishWrongUses((name) => join(directory, name), fleet.url),
      );
      await assertNothingLeft(fleet);
    },
  );

  fleetTest(
    "names a file that cannot be read",
    { agents: agentsOf({ fra: 1 }), skip: canLackPermissions() ? false : "needs setpriv, or a user other than root" },
    async (fleet) => {
      const source = await fleet.makeDirectory("source");
      await chmod(fleet.directory, 0o755);
      await writeFile(join(source, "readable"), "content");
      await writeFile(join(source, "secret"), "content");
      await chmod(join(source, "secret"), 0o000);
      const words = ["publish", source, "--fileset", "bad", "--version", "1"];
      const program = fleet.begin(words, { through: withoutPermissions });
      program.input.end();
      const outcome = await within("the publish ends", 20_000, program.ended);
      assertClear({ name: "unreadable", words, code: 1, error: /no permission to read "[^"]*secret"/ }, outcome);
      await assertNothingLeft(fleet);
    },
  );

  fleetTest(
    "notices that a file changes while it is read",
    {
      topology: { sites: { fra: {} }, defaults: { nic: { down: "30Mbps" } } },
      agents: agentsOf({ fra: 2 }),
    },
    async (fleet) => {
      const source = await fleet.makeDirectory("source");
      await writeFile(join(source, "changing"), contentOf("before", 12 * mebibyte));
      await writeFile(join(source, "still"), "content");
      const words = ["publish", source, "--fileset", "bad", "--version", "1", "--wait"];
      const program = fleet.begin(words);
      await waitUntil("some of it is handed over", async () => (await fleet.heldBytes("fra-0", "bad", "1")) > 0);
      await writeFile(join(source, "changing"), contentOf("after", 12 * mebibyte));
      const outcome = await within("the publish ends", 30_000, program.ended);
      assertClear(
        { name: "changing", words, code: 1, error: /changing" changed while it was being published/ },
        outcome,
      );
      await assertNothingLeft(fleet);
    },
  );

  fleetTest(
    "stops when it is told to, with nothing half-published",
    {
      topology: { sites: { fra: {} }, defaults: { nic: { down: "30Mbps" } } },
      agents: agentsOf({ fra: 1 }),
    },
    async (fleet) => {
      const source = join(fleet.directory, "large");
      await writeFile(source, contentOf("large", 12 * mebibyte));
      const program = fleet.begin(["publish", source, "--fileset", "bad", "--version", "1", "--wait"]);
      await waitUntil("some of it is handed over", async () => (await fleet.heldBytes("fra-0", "bad", "1")) > 0);
      program.signal("SIGINT");
      const { code, error } = await within("the publish ends", 20_000, program.ended);
      assert.ok(code !== 0 && code !== null, error);
      assert.match(error, /sluice: stopped by SIGINT: nothing was published\n$/);
      await assertNothingLeft(fleet);
    },
  );
});

describe("commands for a controller", () => {
  fleetTest("say what is wrong with what they are given", { topology, agents: agentsOf({ fra: 1 }) }, async (fleet) => {
    const { failure, usage, unreachable } = exit;
    const nowhere = ["--controller", "http://127.0.0.1:1", "--connect-timeout", "500ms"];
    const bad = join(fleet.directory, "bad.yaml");
    await writeFile(bad, 'sites:\n  fra: { uplink: "10 parsecs" }\n  iad: { uplnk: 1Gbps }\n');
    await assertAllClear(fleet, [
      {
        name: "status of nobody",
        words: ["status", ...nowhere],
        code: unreachable,
        error: /cannot reach the controller/,
      },
      { name: "agents of nobody", words: ["agent", "ls", ...nowhere], code: unreachable, error: /is it running\?/ },
      { name: "unknown file set", words: ["fileset", "show", "nothing"], code: failure, error: /there is no file set/ },
      { name: "unknown version", words: ["fileset", "rm", "x", "1"], code: failure, error: /there is no file set x/ },
      { name: "name that climbs", words: ["fileset", "show", "..", "1"], code: usage, error: /"\.\."/ },
      { name: "name with a slash", words: ["fileset", "show", "a/b", "1"], code: usage, error: /"a\/b"/ },
      {
        name: "unknown agent",
        words: ["agent", "drain", "fra-9"],
        code: failure,
        error: /there is no agent fra-9.*fra-0/,
      },
      { name: "unknown command", words: ["agents"], code: usage, error: /unknown command 'agents'/ },
      { name: "unknown option", words: ["status", "--wach"], code: usage, error: /unknown option '--wach'/ },
      {
        name: "missing topology",
        words: ["topology", "apply", "/nowhere.yaml"],
        code: failure,
        error: /\/nowhere\.yaml/,
      },
      { name: "verify of nothing", words: ["verify", "--data", "/nowhere"], code: usage, error: /\/nowhere/ },
      {
        name: "verify of what is no agent's data",
        words: ["verify", "--data", fleet.directory],
        code: usage,
        error: /data/,
      },
    ]);
    const { code, error } = await fleet.run("topology", "apply", bad);
    assert.equal(code, failure);
    assert.match(error, /^sluice: [^\n]*bad\.yaml:2:\d+: sites\.fra\.uplink: [^\n]*10 parsecs/m);
    assert.match(error, /^sluice: [^\n]*bad\.yaml:3:\d+: [^\n]*uplnk[^\n]*uplink/m);
    assert.match(await fleet.must("topology", "show"), /uplink: 1Gbps/, "the old one stays");

    await writeFile(fleet.topologyFile, "sites: [fra]\n");
    fleet.controller.signal("SIGHUP");
    await waitUntil("the mistake is logged", () => /topology\.yaml:1:\d+/.test(fleet.controller.error));
    assert.match(await fleet.must("topology", "show"), /uplink: 1Gbps/, "the old one stays");
    assert.equal((await fleet.agent("fra-0")).online, true);
  });
});
