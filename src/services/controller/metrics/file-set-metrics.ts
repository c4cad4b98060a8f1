/** Metrics of file sets: how far each version is. */
import type { FileSetFigures, LiveFigures } from "../../../control/controller/live/figures.ts";
import { gauge, type Gauge, type Registry } from "../../../platform/metrics/gauges.ts";

const version = ["file_set", "version"] as const;
type VersionLabel = (typeof version)[number];

export class FileSetMetrics {
  readonly #info;
  readonly #targets;
  readonly #values: readonly (readonly [Gauge<VersionLabel>, (figures: FileSetFigures) => number])[];

  constructor(registry: Registry) {
    this.#info = gauge(
      registry,
      "sluice_file_set_info",
      "A version of a file set; always 1. Join with it on both labels",
      [...version, "state", "active", "paused", "selector"],
    );
    this.#targets = gauge(
      registry,
      "sluice_file_set_targets",
      "Agents that should hold it, by where they stand: held (whole, verified and durable), fetching, stalled, offline",
      [...version, "status"],
    );
    const value = (name: string, help: string): Gauge<VersionLabel> => gauge(registry, name, help, version);
    this.#values = [
      [value("sluice_file_set_size_bytes", "The length of all its files"), ({ totalBytes }) => totalBytes],
      [value("sluice_file_set_held_bytes", "Bytes of it that its targets hold together"), ({ heldBytes }) => heldBytes],
      [value("sluice_file_set_wanted_bytes", "Targets times size"), ({ wantedBytes }) => wantedBytes],
      [
        value("sluice_file_set_created_timestamp_seconds", "When its publish began, seconds since 1970"),
        ({ createdAtMilliseconds }) => createdAtMilliseconds / 1_000,
      ],
    ];
  }

  take({ fileSets }: LiveFigures): void {
    this.#info.reset();
    this.#targets.reset();
    for (const [metric] of this.#values) metric.reset();
    for (const figures of fileSets) {
      const labels = { file_set: figures.name, version: figures.version };
      const { state, active, paused, selector, targets, held, stalled, offline } = figures;
      this.#info.set({ ...labels, state, active: String(active), paused: String(paused), selector }, 1);
      for (const [status, count] of Object.entries({ held, stalled, offline })) {
        this.#targets.set({ ...labels, status }, count);
      }
      this.#targets.set({ ...labels, status: "fetching" }, targets - held - stalled - offline);
      for (const [metric, of] of this.#values) metric.set(labels, of(figures));
    }
  }
}
