/** Metrics of lanes and of what goes from site to site. */
import type { LiveFigures } from "../../../control/controller/live/figures.ts";
import { counter, gauge, setCounter, type Registry } from "../../../platform/metrics/gauges.ts";

export class TransferMetrics {
  readonly #lanes;
  readonly #opened;
  readonly #ended;
  readonly #bytes;

  constructor(registry: Registry) {
    this.#lanes = gauge(registry, "sluice_lanes", "Lanes that run: each a source, a target and an allocated rate");
    this.#opened = counter(registry, "sluice_lanes_opened_total", "Lanes that were opened");
    this.#ended = counter(registry, "sluice_lanes_ended_total", "Lanes that have ended, as their targets report it", [
      "outcome",
    ]);
    this.#bytes = counter(
      registry,
      "sluice_site_received_bytes_total",
      "Bytes of content that agents of one site received from another site, or from their own; from_site is empty for publishers that did not say where they are",
      ["from_site", "to_site"],
    );
  }

  take({ lanes, lanesOpened, lanesEnded, lanesFailed, pairs }: LiveFigures): void {
    this.#lanes.set(lanes);
    setCounter(this.#opened, {}, lanesOpened);
    setCounter(this.#ended, { outcome: "closed" }, lanesEnded);
    setCounter(this.#ended, { outcome: "failed" }, lanesFailed);
    for (const { from, to, bytes } of pairs) setCounter(this.#bytes, { from_site: from, to_site: to }, bytes);
  }
}
