/** Metrics of real programs after a real distribution, and whether dashboard and alerts ask for what there really is. */
import { strict as assert } from "node:assert";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { ControllerMetrics } from "#src/services/controller/metrics/controller-metrics.ts";
import { AgentMetrics } from "#src/services/agent/agent-metrics.ts";
import { contentOf, mebibyte } from "./support/content.ts";
import { agentsOf, fleetTest } from "./support/fleet.ts";
import { waitUntil } from "./support/waiting.ts";

const repository = fileURLToPath(new URL("../../", import.meta.url));

interface Series {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The series of a text as Prometheus reads it. */
function parseMetrics(text: string): Series[] {
  return text.split("\n").flatMap((line) => {
    const match = /^([a-z_0-9]+)(?:\{(.*)\})? (\S+)$/i.exec(line);
    if (match === null) return [];
    const labels = [...(match[2] ?? "").matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g)];
    return [
      {
        name: match[1] ?? "",
        labels: Object.fromEntries(labels.map(([, label = "", value = ""]) => [label, value])),
        value: Number(match[3]),
      },
    ];
  });
}

async function scrape(url: string): Promise<Series[]> {
  const response = await fetch(`${url}/metrics`);
  assert.match(response.headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/);
  return parseMetrics(await response.text());
}

function sumOf(series: readonly Series[], name: string, labels: Readonly<Record<string, string>> = {}): number {
  return series
    .filter((one) => one.name === name && Object.entries(labels).every(([label, value]) => one.labels[label] === value))
    .reduce((sum, { value }) => sum + value, 0);
}

function hasPromtool(): boolean {
  return spawnSync("promtool", ["--version"]).status === 0;
}

const sizeBytes = 3 * mebibyte;
const topology = { sites: { fra: { uplink: "200Mbps" }, iad: { downlink: "200Mbps" } } };

describe("metrics", () => {
  fleetTest(
    "count a distribution at controller and agents",
    { topology, agents: agentsOf({ fra: 1, iad: 1 }) },
    async (fleet) => {
      const source = join(fleet.directory, "model.bin");
      await writeFile(source, contentOf("model", sizeBytes));
      await fleet.publish(source, "model", "1", "--agent", "fra-0");
      await fleet.waitHeld("model", "1");
      const controller = await waitUntil("the last counts have come", async () => {
        const series = await scrape(fleet.url);
        return (
          sumOf(series, "sluice_site_received_bytes_total", { from_site: "fra", to_site: "iad" }) >= sizeBytes && series
        );
      });
      const version = { file_set: "model", version: "1" };
      assert.equal(sumOf(controller, "sluice_file_set_held_bytes", version), 2 * sizeBytes);
      assert.equal(sumOf(controller, "sluice_file_set_wanted_bytes", version), 2 * sizeBytes);
      assert.equal(sumOf(controller, "sluice_file_set_targets", { ...version, status: "held" }), 2);
      assert.equal(sumOf(controller, "sluice_file_set_info", { ...version, active: "true", state: "published" }), 1);
      assert.equal(sumOf(controller, "sluice_agent_online"), 2);
      assert.equal(
        sumOf(controller, "sluice_resource_capability_bytes_per_second", { resource: "sites.fra.uplink" }),
        2e8 / 8,
      );
      assert.ok(
        sumOf(controller, "sluice_resource_carried_bytes_total", { resource: "sites.fra.uplink" }) >= sizeBytes,
      );
      assert.ok(sumOf(controller, "sluice_lanes_ended_total", { outcome: "closed" }) > 0);
      assert.ok(sumOf(controller, "sluice_controller_event_seconds_count", { event: "state" }) > 0);
      assert.ok(sumOf(controller, "sluice_controller_store_write_seconds_count") > 0);
      assert.equal(sumOf(controller, "sluice_controller_ready"), 1);

      const source0 = await scrape(fleet.member("fra-0").url);
      const target = await scrape(fleet.member("iad-0").url);
      assert.equal(sumOf(source0, "sluice_agent_handed_over_bytes_total"), sizeBytes);
      assert.ok(sumOf(source0, "sluice_agent_sent_bytes_total", { peer_site: "iad" }) >= sizeBytes);
      assert.ok(sumOf(target, "sluice_agent_received_bytes_total", { peer_site: "fra" }) >= sizeBytes);
      assert.equal(sumOf(target, "sluice_agent_self_info", { agent: "iad-0", site: "iad" }), 1);
      assert.equal(sumOf(target, "sluice_agent_connected"), 1);
      assert.equal(sumOf(target, "sluice_agent_file_set_info", { ...version, status: "held" }), 1);
      assert.ok(sumOf(target, "sluice_agent_write_seconds_count") > 0);
      assert.equal((await fetch(`${fleet.member("iad-0").url}/readyz`)).status, 200);
      assert.equal((await fetch(`${fleet.url}/readyz`)).status, 200);
    },
  );

  const labelsOf = new Map<string, readonly string[]>();
  for (const { registry } of [new ControllerMetrics(), new AgentMetrics("fra")]) {
    for (const metric of registry.getMetricsAsArray()) {
      const { name, type, labelNames } = metric as unknown as { name: string; type: string; labelNames: string[] };
      const ends = type === "histogram" ? ["_bucket", "_sum", "_count"] : [""];
      for (const end of ends) labelsOf.set(`${name}${end}`, end === "_bucket" ? [...labelNames, "le"] : labelNames);
    }
  }

  /** What an expression asks for that is not there. */
  function problemsOf(expression: string): string[] {
    const problems: string[] = [];
    const asked = new Set(["instance", "job"]);
    for (const [, name = "", , selector = ""] of expression.matchAll(/\b(sluice_[a-z_]+)(\{([^}]*)\})?/g)) {
      const labels = labelsOf.get(name);
      if (labels === undefined) problems.push(`there is no metric ${name}: ${expression}`);
      for (const label of labels ?? []) asked.add(label);
      for (const [, label = ""] of selector.matchAll(/([a-z_]+)\s*(?:=~|!~|!=|=)/g)) {
        if (labels !== undefined && !labels.includes(label)) problems.push(`${name} has no label ${label}`);
      }
    }
    for (const [, list = ""] of expression.matchAll(/\b(?:by|on|group_left|group_right)\s*\(([^)]*)\)/g)) {
      for (const label of list.split(",").map((text) => text.trim())) {
        if (label !== "" && !asked.has(label)) problems.push(`no metric has the label ${label}: ${expression}`);
      }
    }
    return problems;
  }

  it("are what the alerts ask for, each of which docs/alerts.md explains", () => {
    const text = readFileSync(join(repository, "deploy/prometheus/alerts.yaml"), "utf8");
    const { groups } = parse(text) as { groups: { rules: { alert: string; expr: string; annotations: object }[] }[] };
    const rules = groups.flatMap((group) => group.rules);
    assert.ok(rules.length > 10);
    const explained = readFileSync(join(repository, "docs/alerts.md"), "utf8");
    for (const { alert, expr, annotations } of rules) {
      assert.deepEqual(problemsOf(expr), [], alert);
      assert.deepEqual(Object.keys(annotations), ["summary", "description"], alert);
      assert.ok(explained.includes(`\`${alert}\``), `docs/alerts.md does not explain ${alert}`);
    }
  });

  const skip = hasPromtool() ? false : "needs promtool, of Prometheus";
  it("are named and typed as Prometheus wants them, as are the alerts", { skip }, async () => {
    for (const { registry } of [new ControllerMetrics(), new AgentMetrics("fra")]) {
      const { stderr, status } = spawnSync("promtool", ["check", "metrics"], { input: await registry.metrics() });
      assert.equal(stderr.toString(), "");
      assert.equal(status, 0);
    }
    const rules = join(repository, "deploy/prometheus/alerts.yaml");
    const { stdout, status } = spawnSync("promtool", ["check", "rules", "--lint-fatal", rules]);
    assert.equal(status, 0, stdout.toString());
  });

  it("fire alerts when they should, and not when they should not", { skip }, () => {
    const tests = join(repository, "deploy/prometheus/alerts-tests.yaml");
    const { stdout, stderr, status } = spawnSync("promtool", ["test", "rules", tests]);
    assert.equal(status, 0, `${stdout.toString()}${stderr.toString()}`);
  });

  it("are what the dashboard of Grafana draws", () => {
    const text = readFileSync(join(repository, "deploy/grafana/sluice.json"), "utf8");
    const { panels } = JSON.parse(text) as {
      panels: { title: string; targets: { expr: string; legendFormat: string }[] }[];
    };
    assert.ok(panels.length > 10);
    for (const { title, targets } of panels) {
      for (const { expr } of targets) assert.deepEqual(problemsOf(expr), [], title);
    }
  });
});
