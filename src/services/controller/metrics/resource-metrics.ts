/** Metrics of resources and of components that have failed. */
import type { LiveFigures } from "../../../control/controller/live/figures.ts";
import { counter, gauge, setCounter, type Registry } from "../../../platform/metrics/gauges.ts";

/** Prometheus counts in bytes; everything else here says bits, as links are sold. */
const bitsPerByte = 8;

export class ResourceMetrics {
  readonly #info;
  readonly #capability;
  readonly #allocated;
  readonly #measured;
  readonly #carried;
  readonly #failures;
  readonly #outOfUse;
  readonly #reported;

  constructor(registry: Registry) {
    const resource = ["resource"] as const;
    this.#info = gauge(
      registry,
      "sluice_resource_info",
      "A resource: a site's uplink or downlink, a link, an agent's interface with a stated capability; always 1",
      ["resource", "kind", "owner"],
    );
    this.#capability = gauge(
      registry,
      "sluice_resource_capability_bytes_per_second",
      "What a resource may be used for, on the wire; absent where no limit is stated",
      resource,
    );
    this.#allocated = gauge(
      registry,
      "sluice_resource_allocated_bytes_per_second",
      "What was allocated of a resource over the last seconds, on the wire",
      resource,
    );
    this.#measured = gauge(
      registry,
      "sluice_resource_measured_bytes_per_second",
      "What came over a resource in the last seconds, on the wire; the rate of sluice_resource_carried_bytes_total is exact over any time",
      resource,
    );
    this.#carried = counter(
      registry,
      "sluice_resource_carried_bytes_total",
      "Bytes of content that came over a resource",
      resource,
    );
    const component = ["component"] as const;
    this.#failures = gauge(
      registry,
      "sluice_component_failures",
      "Failures that are counted of a component: a resource, an agent as a source, a disk",
      component,
    );
    this.#outOfUse = gauge(
      registry,
      "sluice_component_out_of_use",
      "1: a component is out of use after failures",
      component,
    );
    this.#reported = counter(registry, "sluice_failures_reported_total", "Failures that agents reported", ["kind"]);
  }

  take({ resources, components, failuresByKind }: LiveFigures): void {
    for (const metric of [this.#info, this.#capability, this.#allocated, this.#measured, this.#carried]) metric.reset();
    for (const { name, kind, owner, capability, allocated, measured, carriedBytes } of resources) {
      const labels = { resource: name };
      this.#info.set({ ...labels, kind, owner }, 1);
      if (capability !== undefined) this.#capability.set(labels, capability / bitsPerByte);
      this.#allocated.set(labels, allocated / bitsPerByte);
      this.#measured.set(labels, measured / bitsPerByte);
      this.#carried.inc(labels, carriedBytes);
    }
    this.#failures.reset();
    this.#outOfUse.reset();
    for (const { name, failures, outOfUse } of components) {
      this.#failures.set({ component: name }, failures);
      this.#outOfUse.set({ component: name }, outOfUse ? 1 : 0);
    }
    for (const [kind, count] of failuresByKind) setCounter(this.#reported, { kind }, count);
  }
}
