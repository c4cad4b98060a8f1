/** A controller's state machine that thinks nothing: it shows what a test puts into it, and notes what it hears. */
import type {
  ControllerCommand,
  ControllerEvent,
  ControllerOutput,
  OperatorReply,
} from "../../control/controller/controller-events.ts";
import type { StoreChange } from "../../control/store-port.ts";
import { emptyTopology } from "../../model/topology.ts";
import type { Topology } from "../../model/topology.ts";
import type { LiveFigures } from "../../control/controller/live/figures.ts";
import type { TopicEvent } from "../../control/controller/live/live-view.ts";
import type {
  AgentView,
  FileList,
  OperatorRequest,
  ResourceView,
  StatusView,
  VersionDetail,
  VersionSummary,
} from "../../protocol/views.ts";
import type { ControllerMachine, LiveFeed } from "./machine.ts";

export class FakeMachine implements ControllerMachine {
  readonly events: ControllerEvent[] = [];
  readonly versions: VersionDetail[] = [];
  readonly agentViews: AgentView[] = [];
  readonly resourceViews: ResourceView[] = [];
  readonly manifests = new Map<string, Uint8Array>();
  readonly liveViews = new FakeLive();
  waits = false;
  /** What operators are answered. */
  answer: (request: OperatorRequest) => OperatorReply | undefined = () => ({ ok: true, result: { done: "done" } });
  /** What else comes of an event. */
  react: (event: ControllerEvent) => Partial<ControllerOutput> = () => ({});
  #topology: Topology = emptyTopology();

  handle(event: ControllerEvent): ControllerOutput {
    this.events.push(event);
    const changes: StoreChange[] = [];
    const commands: ControllerCommand[] = [];
    if (event.type === "started" || event.type === "topology") this.#topology = event.topology;
    if (event.type === "request") {
      const reply = this.answer(event.request);
      if (reply !== undefined) commands.push({ type: "reply", requestId: event.requestId, reply });
    }
    return { changes, commands, wakeAtNanoseconds: undefined, ...this.react(event) };
  }

  status(): StatusView {
    return {
      term: 1,
      agents: { online: this.agentViews.filter(({ online }) => online).length, known: this.agentViews.length },
      fileSets: this.fileSets(),
      sites: [{ site: "fra", online: 1, known: 2 }],
      lanes: 3,
      busiest: this.resourceViews,
      outOfUse: this.resourceViews.filter(({ outOfUse }) => outOfUse),
    };
  }

  fileSets(): VersionSummary[] {
    return this.versions;
  }

  fileSet(name: string, version: string): VersionDetail | undefined {
    return this.versions.find((candidate) => candidate.name === name && candidate.version === version);
  }

  agents(): AgentView[] {
    return this.agentViews;
  }

  resources(): ResourceView[] {
    return this.resourceViews;
  }

  manifestBytes(fileSet: string): Uint8Array | undefined {
    return this.manifests.get(fileSet);
  }

  files(fileSet: string, offset: number, limit: number): FileList | undefined {
    const version = this.versions.find((candidate) => candidate.fileSet === fileSet);
    if (version === undefined) return undefined;
    return { total: version.fileList.length, files: version.fileList.slice(offset, offset + limit) };
  }

  plan(): undefined {
    return undefined;
  }

  topology(): Topology {
    return this.#topology;
  }

  waitsForAgents(): boolean {
    return this.waits;
  }

  live(): FakeLive {
    return this.liveViews;
  }
}

/** Live views that tell what a test gives them. */
export class FakeLive implements LiveFeed {
  periodMilliseconds = 5;
  /** By topic: what it holds. */
  readonly topics = new Map<string, unknown>();
  /** Told at the next tick. */
  readonly deltas: TopicEvent[] = [];
  readonly open = (topic: string): TopicEvent => {
    this.topics.set(topic, this.topics.get(topic) ?? {});
    return this.snapshot(topic);
  };
  readonly before = (): void => undefined;
  readonly after = (): void => undefined;

  close(topic: string): void {
    this.topics.delete(topic);
  }

  snapshot(topic: string): TopicEvent {
    const text = JSON.stringify({ topic, atMilliseconds: 1, data: this.topics.get(topic) });
    return { topic, type: "snapshot", text };
  }

  /** Makes something happen. */
  tell(topic: string, changed: object): void {
    this.deltas.push({ topic, type: "delta", text: JSON.stringify({ topic, atMilliseconds: 2, changed }) });
  }

  tick(): TopicEvent[] {
    return this.deltas.splice(0);
  }

  figures(): LiveFigures {
    return exampleFigures();
  }
}

function exampleFigures(): LiveFigures {
  return {
    term: 1,
    lanes: 1,
    lanesOpened: 3,
    lanesEnded: 1,
    lanesFailed: 1,
    pairs: [{ from: "fra", to: "iad", bytes: 1_000 }],
    agents: [
      {
        name: "fra-0",
        agentId: "0".repeat(32),
        site: "fra",
        address: "10.0.0.1:7500",
        online: true,
        heldBytes: 10,
        wantedBytes: 20,
        freeDiskBytes: 5,
      },
    ],
    fileSets: [
      {
        name: "index",
        version: "1",
        state: "published",
        selector: "all",
        active: true,
        paused: false,
        totalBytes: 20,
        createdAtMilliseconds: 1_000,
        targets: 2,
        held: 1,
        offline: 0,
        stalled: 0,
        heldBytes: 30,
        wantedBytes: 40,
      },
    ],
    resources: [
      {
        name: "sites.fra.uplink",
        kind: "siteUplink",
        owner: "fra",
        capability: 1_000_000,
        allocated: 500_000,
        measured: 400_000,
        carriedBytes: 7,
      },
    ],
    components: [{ name: "agents.fra-0", failures: 2, outOfUse: false }],
    failuresByKind: new Map([["stalled", 2]]),
  };
}

/** A version that one of two agents holds; `part` replaces what a test cares about. */
export function exampleVersion(part: Partial<VersionDetail> = {}): VersionDetail {
  const name = part.name ?? "index";
  const version = part.version ?? "1";
  return {
    fileSet: `${name}@${version}`,
    name,
    version,
    state: "published",
    active: true,
    paused: false,
    growing: false,
    selector: "all",
    priority: 0,
    root: `blake3:${"0".repeat(64)}`,
    sequence: 1,
    files: 2,
    blocks: 12,
    totalBytes: 3 * 1024 * 1024,
    counts: { targets: 2, held: 1, offline: 1, stalled: 0 },
    heldBytes: 4 * 1024 * 1024,
    createdAtMilliseconds: Date.UTC(2026, 10, 22, 12, 0, 0),
    agents: [
      exampleVersionAgent({ agent: "fra-0", heldBytes: 3 * 1024 * 1024, status: "held", current: true }),
      exampleVersionAgent({ agent: "fra-1", heldBytes: 1024 * 1024, online: false, status: "fetching" }),
    ],
    fileList: [
      { path: "a/b.bin", lengthBytes: 3 * 1024 * 1024 - 5, version: 1, growing: false },
      { path: "note\u001b[2J.txt", lengthBytes: 5, version: 2, growing: false },
    ],
    fileListCut: false,
    ...part,
  };
}

type VersionAgent = VersionDetail["agents"][number];

function exampleVersionAgent(part: Partial<VersionAgent>): VersionAgent {
  return { agent: "", site: "fra", online: true, status: "held", heldBytes: 0, current: false, target: true, ...part };
}

/** An agent that is well. */
export function exampleAgent(part: Partial<AgentView> = {}): AgentView {
  return {
    name: "fra-0",
    agentId: "0".repeat(32),
    site: "fra",
    labels: { tier: "web" },
    address: "10.0.0.1:7500",
    online: true,
    drained: false,
    blocked: false,
    outOfUse: false,
    freeDiskBytes: 5 * 1024 * 1024 * 1024,
    lanesIn: 1,
    lanesOut: 2,
    failures: 0,
    fileSets: [{ fileSet: "index@1", status: "held", heldBytes: 100, totalBytes: 100, current: true }],
    ...part,
  };
}
