/** How a fleet comes back to a controller that was killed: how long it takes, and how it is spread over that time. */
import type { LoadAgent } from "./load-agent.ts";

export interface ReconnectionFigures {
  /** From the kill until the new controller listens, and until the last agent is welcome. */
  readonly controllerBackSeconds: number;
  readonly allBackSeconds: number;
  readonly medianSeconds: number;
  /** The most agents that became welcome within one tenth of a second, and the most within one second. */
  readonly mostWithinTenth: number;
  readonly mostWithinSecond: number;
  /** Dials that found nobody, and connections that broke again before all were back. */
  readonly failedDials: number;
  readonly lostAgain: number;
}

export class Reconnection {
  readonly #agents: readonly LoadAgent[];
  readonly #killedAt = performance.now();
  readonly #failedBefore: number;
  readonly #lostBefore: number;
  #backAt = Number.NaN;

  /** Made just before the controller is killed. */
  constructor(agents: readonly LoadAgent[]) {
    this.#agents = agents;
    this.#failedBefore = sum(agents, (agent) => agent.failedDials);
    this.#lostBefore = sum(agents, (agent) => agent.lostConnections);
  }

  controllerIsBack(): void {
    this.#backAt = performance.now();
  }

  /** Once all are back. */
  figures(): ReconnectionFigures {
    const times = this.#agents.map(({ welcomedAtMilliseconds }) => (welcomedAtMilliseconds ?? 0) - this.#killedAt);
    const sorted = Float64Array.from(times).sort();
    return {
      controllerBackSeconds: (this.#backAt - this.#killedAt) / 1_000,
      allBackSeconds: (sorted.at(-1) ?? 0) / 1_000,
      medianSeconds: (sorted[sorted.length >> 1] ?? 0) / 1_000,
      mostWithinTenth: mostWithin(sorted, 100),
      mostWithinSecond: mostWithin(sorted, 1_000),
      failedDials: sum(this.#agents, (agent) => agent.failedDials) - this.#failedBefore,
      lostAgain: sum(this.#agents, (agent) => agent.lostConnections) - this.#lostBefore - this.#agents.length,
    };
  }
}

function mostWithin(sorted: Float64Array, milliseconds: number): number {
  let most = 0;
  let first = 0;
  for (const [index, time] of sorted.entries()) {
    while (time - (sorted[first] ?? 0) >= milliseconds) first += 1;
    most = Math.max(most, index - first + 1);
  }
  return most;
}

function sum(agents: readonly LoadAgent[], of: (agent: LoadAgent) => number): number {
  return agents.reduce((total, agent) => total + of(agent), 0);
}
