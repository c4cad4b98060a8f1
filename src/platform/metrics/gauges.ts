/**
 * Metrics for Prometheus, in one form for all programs: each is named with its unit, has a help text, and is counted in a
 * registry of its own, so that several programs can live in one process (tests do).
 */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import { programVersion } from "../program-version.ts";

export { Counter, Gauge, Histogram, Registry } from "prom-client";

/** Times of handling and writing: from a tenth of a millisecond to ten seconds. */
const timeBucketsSeconds = [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10];

/** Gauges with the ending of counters, which Prometheus warns of; what they count is there by kind, too. */
const misnamed = ["handles", "requests", "resources"].map((what) => `nodejs_active_${what}_total`);

/** A registry with what every program tells: its version, and what Node.js and the process use. */
export function createRegistry(program: "controller" | "agent"): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const name of misnamed) registry.removeSingleMetric(name);
  const info = new Gauge({
    name: "sluice_build_info",
    help: "The program and its version; always 1",
    labelNames: ["program", "version"],
    registers: [registry],
  });
  info.set({ program, version: programVersion() }, 1);
  return registry;
}

export function counter<Label extends string>(
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly Label[] = [],
): Counter<Label> {
  return new Counter({ name, help, labelNames: [...labelNames], registers: [registry] });
}

export function gauge<Label extends string>(
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly Label[] = [],
): Gauge<Label> {
  return new Gauge({ name, help, labelNames: [...labelNames], registers: [registry] });
}

/** A histogram of times in seconds. */
export function timeHistogram<Label extends string>(
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly Label[] = [],
): Histogram<Label> {
  return new Histogram({ name, help, labelNames: [...labelNames], buckets: timeBucketsSeconds, registers: [registry] });
}

/** Makes a counter stand where a count that is kept elsewhere stands. */
export function setCounter<Label extends string>(
  metric: Counter<Label>,
  labels: Partial<Record<Label, string | number>>,
  count: number,
): void {
  metric.remove(labels);
  metric.inc(labels, count);
}
