import { strict as assert } from "node:assert";
import { describe, it } from "node:test";
import { parseScenario } from "#src/simulator/scenario-parser.ts";
import { planLab } from "./lab-plan.ts";
import { shapeDevice } from "./shaping.ts";

function planOf(more: object, shaped: boolean = true) {
  const scenario = parseScenario({
    topology: {
      resources: { sea: { capability: "20Mbps" }, land: { capability: "30Mbps" } },
      sites: { a: { uplink: "100Mbps" }, b: {} },
      defaults: { nic: { up: "200Mbps", down: "200Mbps" } },
      paths: [{ from: "a", to: "b", through: ["sea", "land"] }],
    },
    agents: [
      { site: "a", count: 1 },
      { site: "b", count: 2 },
    ],
    fileSets: [{ name: "p", bytes: 1, origins: ["a-0"] }],
    ...more,
  });
  return planLab({ scenario, shaped }, "x.");
}

describe("the plan of a lab", () => {
  it("has a shaped device for every resource", () => {
    const { devices } = planOf({});
    const names = devices.map(({ resource }) => resource);
    for (const name of ["sites.a.uplink", "sites.b.downlink", "agents.b-1.nic.up", "resources.sea"]) {
      assert.ok(names.includes(name), name);
    }
    assert.equal(new Set(devices.map(({ namespace, device }) => `${namespace} ${device}`)).size, devices.length);
  });

  it("counts at the sites' links where nothing is limited, and leaves interfaces alone", () => {
    const { devices, namespaces } = planOf({}, false);
    assert.ok(devices.every(({ resource }) => !resource.startsWith("agents.")));
    const tc = namespaces.flatMap((namespace) => namespace.tc);
    assert.ok(tc.length > 0 && tc.every((line) => line.includes("rate 10000000000bit")));
  });

  it("leads a path through its links, one after another", () => {
    const core = planOf({}).namespaces.find(({ name }) => name === "x.core-");
    const rules = core?.ipAfterDelays.filter((line) => line.startsWith("rule"));
    assert.deepEqual(rules, [
      "rule add priority 200 iif s0 from 10.1.0.0/16 to 10.2.0.0/16 lookup 1000",
      "rule add priority 200 iif b0 from 10.1.0.0/16 to 10.2.0.0/16 lookup 1001",
    ]);
  });

  it("delays packets before anything else happens to them", () => {
    const plan = planOf({ data: { delay: "50ms" }, control: { delay: "100ms" } });
    assert.deepEqual(
      plan.delays.map(({ device, delayNanoseconds }) => [device, delayNanoseconds]),
      [
        ["delaydata", 50_000_000],
        ["delayctl", 100_000_000],
      ],
    );
    const core = plan.namespaces.find(({ name }) => name === "x.core-")?.ipAfterDelays ?? [];
    assert.ok(core.includes("rule add priority 100 iif s1 to 10.0.0.0/8 lookup 900"));
    assert.ok(core.includes("rule add priority 100 iif ctl lookup 901"));
    assert.ok(core.some((line) => line.startsWith("rule add priority 200 iif delaydata from 10.1.0.0/16")));
  });

  it("refuses more hosts than the machine could run", () => {
    assert.throws(() => planOf({ agents: [{ site: "a", count: 251 }] }), /251 hosts; the lab takes 250 at most/);
  });
});

describe("a shaped link", () => {
  it("lets 10 ms of its rate pass at once, and 64 KiB at least", () => {
    assert.equal(
      shapeDevice("wan", 100_000_000),
      "qdisc replace dev wan root tbf rate 100000000bit burst 125000 latency 60ms",
    );
    assert.equal(
      shapeDevice("wan", 20_000_000),
      "qdisc replace dev wan root tbf rate 20000000bit burst 65536 latency 60ms",
    );
  });
});
