/** A controller for tests of the agent's program: real sockets, no thinking. It welcomes agents and says what it is told to. */
import type { IncomingMessage } from "node:http";
import { WebSocketServer } from "ws";
import type { WebSocket } from "ws";
import { accept } from "../../platform/accept.ts";
import type { Accepting } from "../../platform/accept.ts";
import type { AgentMessage, Hello } from "../../protocol/agent-messages.ts";
import { agentMessageSchema } from "../../protocol/agent-messages.ts";
import type { ControllerMessage } from "../../protocol/controller-messages.ts";
import { RangeSet } from "../../std/ranges.ts";

export interface HeardAgent {
  readonly hello: Hello;
  readonly socket: WebSocket;
  readonly messages: AgentMessage[];
  /** Status of each file set, and the blocks that are held, as told. */
  readonly status: Map<string, string>;
  readonly held: Map<string, RangeSet>;
  readonly current: Map<string, string | null>;
}

export class FakeController {
  readonly agents = new Map<string, HeardAgent>();
  term = 1;
  /** What is said to a hello instead of a welcome. */
  refusal: Extract<ControllerMessage, { type: "refused" }> | undefined;
  hellos = 0;
  readonly #accepting: Accepting;
  #waiting: (() => void)[] = [];

  static async start(port = 0): Promise<FakeController> {
    const sockets = new WebSocketServer({ noServer: true });
    const accepting = await accept({
      host: "127.0.0.1",
      port,
      onRequest: (_request, response) => void response.end(),
      upgrades: {
        websocket: (request: IncomingMessage, socket, head) => {
          sockets.handleUpgrade(request, socket, Buffer.from(head), (channel) => controller.#opened(channel));
        },
      },
    });
    const controller = new FakeController(accepting);
    return controller;
  }

  private constructor(accepting: Accepting) {
    this.#accepting = accepting;
  }

  get url(): string {
    return this.#accepting.url;
  }

  get port(): number {
    return this.#accepting.address.port;
  }

  async close(): Promise<void> {
    await this.#accepting.close();
  }

  say(name: string, message: ControllerMessage): void {
    this.agent(name).socket.send(JSON.stringify(message));
  }

  agent(name: string): HeardAgent {
    const agent = this.agents.get(name);
    if (agent === undefined) throw new Error(`${name} is not connected`);
    return agent;
  }

  /** Resolves when it holds; asked again at each message. */
  async until(holds: () => boolean, what: string, timeoutMilliseconds = 10_000): Promise<void> {
    const end = performance.now() + timeoutMilliseconds;
    while (!holds()) {
      if (performance.now() > end) throw new Error(`${what} did not come about`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 50);
        this.#waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  #opened(socket: WebSocket): void {
    let agent: HeardAgent | undefined;
    socket.on("message", (data: Buffer) => {
      const message = agentMessageSchema.parse(JSON.parse(data.toString()));
      if (message.type === "hello") {
        this.hellos += 1;
        if (this.refusal !== undefined) {
          socket.send(JSON.stringify(this.refusal));
          return;
        }
        agent = { hello: message, socket, messages: [], status: new Map(), held: new Map(), current: new Map() };
        this.agents.set(message.name, agent);
        socket.send(JSON.stringify(this.#welcome()));
      } else if (agent !== undefined) hear(agent, message);
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const wake of waiting) wake();
    });
  }

  #welcome(): ControllerMessage {
    const settings = {
      heartbeatMilliseconds: 1_000,
      reportMilliseconds: 20,
      stallMilliseconds: 3_000,
      keepVersions: 2,
    };
    return { type: "welcome", term: this.term, protocol: { major: 1, minor: 0 }, settings };
  }
}

function hear(agent: HeardAgent, message: AgentMessage): void {
  agent.messages.push(message);
  if (message.type !== "state") return;
  if (message.whole) for (const map of [agent.status, agent.held, agent.current]) map.clear();
  for (const fileSet of message.deleted) agent.status.delete(fileSet);
  for (const { fileSet, status, content, lost } of message.fileSets) {
    agent.status.set(fileSet, status);
    const held = agent.held.get(fileSet) ?? new RangeSet();
    held.removeAll(RangeSet.fromFlat(lost));
    held.addAll(RangeSet.fromFlat(content));
    agent.held.set(fileSet, held);
  }
  for (const { name, version } of message.current) agent.current.set(name, version);
}
