/**
 * The controller's metrics. What the live views count is taken over when Prometheus asks, not before; times of handling
 * and writing are noted as they happen.
 */
import type { LiveFigures } from "../../../control/controller/live/figures.ts";
import { createRegistry, gauge, timeHistogram, type Registry } from "../../../platform/metrics/gauges.ts";
import { AgentMetrics } from "./agent-metrics.ts";
import { FileSetMetrics } from "./file-set-metrics.ts";
import { ResourceMetrics } from "./resource-metrics.ts";
import { TransferMetrics } from "./transfer-metrics.ts";

/** What only the program knows, beside the state machine. */
export interface ProgramFigures {
  readonly queuedEvents: number;
  readonly channels: number;
  readonly eventStreams: number;
  readonly ready: boolean;
}

export class ControllerMetrics {
  readonly registry: Registry = createRegistry("controller");
  readonly #handling = timeHistogram(
    this.registry,
    "sluice_controller_event_seconds",
    "How long the state machine took for one event, its decisions included",
    ["event"],
  );
  /** One of each kind of event. */
  readonly #handlingByEvent = new Map<string, { readonly observe: (seconds: number) => void }>();
  readonly #writing = timeHistogram(
    this.registry,
    "sluice_controller_store_write_seconds",
    "How long a batch took to become durable in the store",
  );
  readonly #queued = gauge(this.registry, "sluice_controller_queued_events", "Events that wait for the state machine");
  readonly #channels = gauge(this.registry, "sluice_controller_channels", "Channels of agents and publishers");
  readonly #streams = gauge(this.registry, "sluice_controller_event_streams", "Event streams that are being followed");
  readonly #ready = gauge(
    this.registry,
    "sluice_controller_ready",
    "1: it schedules; 0: it waits for agents after a start, or is stopping",
  );
  readonly #term = gauge(this.registry, "sluice_controller_term", "The controller's term: rises with each start");
  readonly #parts = [
    new AgentMetrics(this.registry),
    new FileSetMetrics(this.registry),
    new ResourceMetrics(this.registry),
    new TransferMetrics(this.registry),
  ];

  eventHandled(event: string, seconds: number): void {
    // Looked up by label anew each time, it took more than some events themselves.
    let kind = this.#handlingByEvent.get(event);
    if (kind === undefined) {
      kind = this.#handling.labels({ event });
      this.#handlingByEvent.set(event, kind);
    }
    kind.observe(seconds);
  }

  storeWritten(seconds: number): void {
    this.#writing.observe(seconds);
  }

  /** The metrics as text. */
  async collect(program: ProgramFigures, figures: LiveFigures): Promise<{ contentType: string; text: string }> {
    this.#queued.set(program.queuedEvents);
    this.#channels.set(program.channels);
    this.#streams.set(program.eventStreams);
    this.#ready.set(program.ready ? 1 : 0);
    this.#term.set(figures.term);
    for (const part of this.#parts) part.take(figures);
    return { contentType: this.registry.contentType, text: await this.registry.metrics() };
  }
}
