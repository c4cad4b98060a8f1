/** Starting and stopping programs: what is in the way is said clearly, signals are obeyed, a full disk is survived. */
import { strict as assert } from "node:assert";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { stringify } from "yaml";
import { contentOf, mebibyte } from "./support/content.ts";
import { agentsOf, fleetTest } from "./support/fleet.ts";
import { canMount, runTool } from "./support/rights.ts";
import { waitUntil, within } from "./support/waiting.ts";
import { assertAllClear, exit } from "./support/wrong-uses.ts";

const topology = { sites: { fra: { uplink: "1Gbps" }, iad: {} } };

describe("starting programs", () => {
  fleetTest("fails clearly when something is in the way", { topology, agents: agentsOf({ fra: 1 }) }, async (fleet) => {
    const holder = createServer().listen(0, "127.0.0.1");
    await waitUntil("the port is taken", () => holder.listening);
    const taken = `127.0.0.1:${(holder.address() as AddressInfo).port}`;
    const fresh = join(fleet.directory, "fresh");
    const used = fleet.dataOf("fra-0");
    const controllerData = join(fleet.directory, "controller");
    const file = join(fleet.directory, "file");
    await writeFile(file, "");
    const bad = join(fleet.directory, "bad.yaml");
    await writeFile(bad, stringify({ sites: { fra: { downlink: -1 } }, path: [] }));
    const agent = (data: string, listen: string, ...more: string[]): string[] => {
      return [...fleet.agentWords({ name: "new", site: "fra" }, listen), ...more].map((word) => {
        return word === fleet.dataOf("new") ? data : word;
      });
    };
    const controller = (data: string, listen: string, ...more: string[]): string[] => {
      return ["controller", "--data", data, "--listen", listen, ...more];
    };
    const { failure, usage } = exit;
    try {
      await assertAllClear(fleet, [
        {
          name: "agent, port",
          words: agent(`${fresh}1`, taken),
          code: failure,
          error: new RegExp(`${taken} is in use`),
        },
        {
          name: "controller, port",
          words: controller(`${fresh}2`, taken),
          code: failure,
          error: new RegExp(`${taken} is in use`),
        },
        { name: "agent, data", words: agent(used, "127.0.0.1:0"), code: failure, error: /is in use by process \d+/ },
        {
          name: "controller, data",
          words: controller(controllerData, "127.0.0.1:0"),
          code: failure,
          error: /is in use by process \d+/,
        },
        { name: "agent, data is a file", words: agent(file, "127.0.0.1:0"), code: failure, error: /file/ },
        { name: "controller, data is a file", words: controller(file, "127.0.0.1:0"), code: failure, error: /file/ },
        { name: "agent, listen", words: agent(fresh, "somewhere"), code: usage, error: /--listen/ },
        { name: "agent, other host", words: agent(fresh, "192.0.2.1:0"), code: failure, error: /192\.0\.2\.1 is not/ },
        {
          name: "controller, topology",
          words: controller(fresh, "127.0.0.1:0", "--topology", "/nowhere.yaml"),
          code: failure,
          error: /\/nowhere\.yaml/,
        },
        { name: "agent, label", words: agent(fresh, "127.0.0.1:0", "--label", "=x"), code: usage, error: /label/ },
        { name: "agent, name", words: agent(fresh, "127.0.0.1:0", "--name", "a/b"), code: usage, error: /"a\/b"/ },
        { name: "agent, no name", words: ["agent", "--data", fresh], code: usage, error: /required option/ },
      ]);
      const mistakes = await fleet.run(...controller(`${fresh}3`, "127.0.0.1:0", "--topology", bad));
      assert.equal(mistakes.code, failure);
      assert.match(mistakes.error, /^sluice: [^\n]*bad\.yaml:3:\d+: sites\.fra\.downlink: /m);
      assert.match(mistakes.error, /^sluice: [^\n]*bad\.yaml:4:\d+: [^\n]*paths/m);
      assert.equal(existsSync(`${fresh}3`), false, "a mistake in the topology changes nothing");
    } finally {
      holder.close();
    }
    assert.equal((await fleet.agent("fra-0")).online, true);
  });

  fleetTest("an agent of an unknown site ends and says which sites there are", { topology }, async (fleet) => {
    const { code, error } = await fleet.run(...fleet.agentWords({ name: "lhr-0", site: "lhr" }));
    assert.equal(code, exit.failure);
    assert.match(
      error,
      /^sluice: .*site lhr is not in the topology: add it there, or give the agent one of fra, iad$/m,
    );
    assert.deepEqual(await fleet.agents(), []);
  });

  fleetTest("stop cleanly on SIGTERM and on SIGINT", { agents: agentsOf({ fra: 2 }) }, async (fleet) => {
    for (const [program, signal] of [
      [fleet.member("fra-0").program, "SIGTERM"],
      [fleet.member("fra-1").program, "SIGINT"],
      [fleet.controller, "SIGTERM"],
    ] as const) {
      program.signal(signal);
      const { code, error } = await within(`it stops on ${signal}`, 10_000, program.ended);
      assert.equal(code, 0, error);
    }
    await fleet.startController();
    fleet.controller.signal("SIGINT");
    assert.equal((await within("it stops on SIGINT", 10_000, fleet.controller.ended)).code, 0);
  });

  fleetTest("agents may start before their controller and wait for it", { agents: [] }, async (fleet) => {
    await fleet.controller.stop();
    const member = await fleet.startAgent({ name: "fra-0", site: "fra" });
    await waitUntil("it says so", () => /cannot be reached .*trying again/.test(member.program.error));
    await pause(500);
    assert.equal(member.program.outcome, undefined);
    assert.equal(await (await fetch(`${member.url}/healthz`)).text(), "ok\n");
    await fleet.startController();
    await fleet.waitOnline(["fra-0"]);
  });
});

describe("a full disk", () => {
  fleetTest(
    "stalls the agent that has it, which says so and goes on when there is room; others are not touched",
    {
      agents: agentsOf({ fra: 1 }),
      skip: canMount() ? false : "needs the right to mount a tmpfs",
      timeoutMilliseconds: 90_000,
    },
    async (fleet) => {
      const data = fleet.dataOf("fra-1");
      await mkdir(data);
      runTool("mount", "-t", "tmpfs", "-o", "size=6m", "none", data);
      try {
        await fleet.startAgent({ name: "fra-1", site: "fra", flags: ["--keep-free", "0B"] });
        await fleet.waitOnline(["fra-1"]);
        const source = join(fleet.directory, "large.bin");
        await writeFile(source, contentOf("large", 9 * mebibyte));
        const words = ["publish", source, "--fileset", "index", "--version", "1", "--agent", "fra-0", "--wait"];
        const { code, error } = await fleet.run(...words, "--timeout", "5s");
        assert.equal(code, exit.timedOut, error);
        assert.match(error, /1 of 2 targets do not hold it after 5 s: fra-1 \(stalled: [^\n]*(space|full|free)/);
        assert.deepEqual(await readFile(join(fleet.tree("fra-0", "index", "1"), "large.bin")), await readFile(source));
        runTool("mount", "-o", "remount,size=40m", data);
        await fleet.waitHeld("index", "1");
        assert.deepEqual(await readFile(join(fleet.tree("fra-1", "index", "1"), "large.bin")), await readFile(source));
      } finally {
        await fleet.members.get("fra-1")?.program.kill();
        runTool("umount", data);
      }
    },
  );
});
