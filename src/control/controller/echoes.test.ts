/** How far away agents are: from the quickest of their latest echoes, not from their first answer. */
import { strict as assert } from "node:assert";
import { describe, it } from "node:test";
import { parseTopology } from "../../model/topology.ts";
import { Scheduler } from "../../scheduler/scheduler.ts";
import { newAgent } from "./agent-channel.ts";
import { Stage } from "./controller.testing.ts";
import { answersEchoes, beginEchoes, newDueEchoes, sendEchoes, takeEchoed } from "./echoes.ts";
import { OutputBuilder } from "./output.ts";

const millisecond = 1_000_000;

/** An agent that has just said its whole state: 300 ms after its welcome, since all of its fleet did. */
function started() {
  const scheduler = new Scheduler({ topology: parseTopology({}), seed: 1, firstLaneId: 1 });
  const agent = newAgent({
    agentId: "a".repeat(32),
    name: "fra-0",
    site: "fra",
    labels: {},
    address: "fra-0.example:7000",
    drained: false,
    blocked: false,
    online: true,
    lastFailureId: -1,
  });
  agent.connectionId = 1;
  agent.answersEchoes = true;
  agent.member = scheduler.addMember({
    id: agent.row.agentId,
    name: "fra-0",
    site: "fra",
    kind: "agent",
    receivers: undefined,
    sameHost: false,
    online: true,
    serves: "yes",
    fetches: true,
  });
  const { delay } = agent.member;
  delay.roundTripNanoseconds = 300 * millisecond;
  const state = { dueEchoes: newDueEchoes(), now: 0, term: 1, out: new OutputBuilder() };
  beginEchoes(state, agent);
  /** Sends what is due, and answers it after so long. @returns when the next is due, in milliseconds */
  const exchange = (atMilliseconds: number, takesMilliseconds: number): number => {
    state.now = atMilliseconds * millisecond;
    const next = sendEchoes(state);
    state.now += takesMilliseconds * millisecond;
    takeEchoed(state, agent, agent.echo?.echoId ?? 0);
    return (next ?? Number.NaN) / millisecond;
  };
  return { state, agent, delay, exchange };
}

describe("echoes", () => {
  it("take the place of the first answer, and the quickest of them counts", () => {
    const { delay, exchange } = started();
    assert.equal(exchange(0, 20), 100);
    assert.equal(delay.roundTripNanoseconds, 20 * millisecond);
    assert.equal(exchange(100, 2), 300);
    assert.equal(exchange(300, 150), 700);
    assert.equal(delay.roundTripNanoseconds, 2 * millisecond);
  });

  it("come ever more seldom, and tell when the way has become longer", () => {
    const { delay, exchange } = started();
    let at = 0;
    for (let count = 0; count < 9; count += 1) at = exchange(at, 2);
    assert.equal(delay.roundTripNanoseconds, 2 * millisecond);
    const before = at;
    for (let count = 0; count < 8; count += 1) at = exchange(at, 80);
    assert.equal(at - before, 8 * 30_000, "every 30 s in the end");
    assert.equal(delay.roundTripNanoseconds, 80 * millisecond);
  });

  it("that were not asked for, or come after the next was sent, are not counted", () => {
    const { state, agent, delay } = started();
    takeEchoed(state, agent, 0);
    takeEchoed(state, agent, 7);
    sendEchoes(state);
    state.now = 100 * millisecond;
    sendEchoes(state);
    state.now = 101 * millisecond;
    takeEchoed(state, agent, 1);
    assert.equal(delay.roundTripNanoseconds, 300 * millisecond);
    takeEchoed(state, agent, 2);
    takeEchoed(state, agent, 2);
    assert.equal(delay.roundTripNanoseconds, 1 * millisecond);
    assert.equal(agent.echo?.tookNanoseconds.length, 1);
  });

  it("end with the connection", () => {
    const { state, agent } = started();
    sendEchoes(state);
    agent.echo = undefined;
    state.now = 1_000 * millisecond;
    assert.equal(sendEchoes(state), undefined);
    assert.equal(state.dueEchoes.size, 0);
  });

  it("are for agents that know them", () => {
    assert.equal(answersEchoes({ major: 1, minor: 0 }), false);
    assert.equal(answersEchoes({ major: 1, minor: 1 }), true);
    const stage = new Stage();
    const connectionId = stage.connect("old-0", "fra");
    stage.advance(60_000);
    const echoes = stage.sent.filter((command) => command.type === "sendAgent" && command.message.type === "echo");
    assert.equal(echoes.length, 0);
    // It may say what it was not asked for.
    stage.agent(connectionId, { type: "echoed", echoId: 1 });
  });

  it("are sent once the whole state of an agent has come", () => {
    const stage = new Stage();
    const connectionId = stage.connect("fra-0", "fra", [], undefined, 1);
    const [first] = stage.sent.flatMap((command) =>
      command.type === "sendAgent" && command.message.type === "echo" ? [command.message] : [],
    );
    assert.deepEqual(first, { type: "echo", term: first?.term, echoId: 1 });
    stage.agent(connectionId, { type: "echoed", echoId: 1 });
  });
});
