import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRandom } from "../std/seeded-random.ts";
import type { FlowUser, Link } from "./flow.ts";
import { VirtualClock } from "./virtual-clock.ts";
import { VirtualNetwork } from "./virtual-network.ts";

interface Sent {
  readonly flow: string;
  readonly block: number;
  readonly atNanoseconds: number;
}

function bench(jitter = 0) {
  const clock = new VirtualClock();
  const overloads: string[] = [];
  const network = new VirtualNetwork({
    clock,
    jitter,
    random: new SeededRandom(1),
    overloaded: (link) => overloads.push(`${link.name} at ${String(clock.nowNanoseconds)}`),
  });
  const sent: Sent[] = [];
  const missing = new Set<number>();
  const user = (flow: string): FlowUser => ({
    isThere: ({ block }) => !missing.has(block),
    lengthBytes: () => 125,
    sent: ({ block }) => sent.push({ flow, block, atNanoseconds: clock.nowNanoseconds }),
  });
  const link = (name: string, capability: number, trueRate = capability): Link =>
    network.setLink(name, capability, trueRate);
  const runUntil = (nanoseconds: number): void => {
    while (clock.step(nanoseconds));
  };
  return { clock, network, sent, missing, user, link, runUntil, overloads };
}

test("a flow sends its blocks in order at its allocated rate, one straight after the other", () => {
  const { network, sent, user, link, runUntil } = bench();
  const flow = network.open(user("a"), [link("up", 2_000)], 1_000);
  network.push(flow, "f", "content", 3, 5);
  network.push(flow, "f", "content", 0, 1);
  runUntil(10e9);
  assert.deepEqual(
    sent.map(({ block, atNanoseconds }) => [block, atNanoseconds]),
    [
      [3, 1e9],
      [4, 2e9],
      [0, 3e9],
    ],
  );
  assert.equal(flow.state, "idle");
  assert.equal(network.links.get("up")?.carriedBits, 3_000);
});

test("where the link carries less than was allocated, flows share it fairly, from the moment that they meet", () => {
  const { clock, network, sent, user, link, runUntil, overloads } = bench();
  const links = [link("up", 2_000, 1_000)];
  const first = network.open(user("a"), links, 1_000);
  const second = network.open(user("b"), links, 1_000);
  network.push(first, "f", "content", 0, 2);
  clock.at(0.5e9, 0, () => network.push(second, "f", "content", 0, 1));
  runUntil(10e9);
  // Alone for half a second, then at half the rate until 1.5 s; the second block shares until 2.5 s, then is alone.
  assert.deepEqual(
    sent.map(({ flow, atNanoseconds }) => [flow, atNanoseconds]),
    [
      ["a", 1.5e9],
      ["b", 2.5e9],
      ["a", 3e9],
    ],
  );
  assert.deepEqual(overloads, []);
});

test("a block that the source does not have yet is set aside, uses no link, and goes out as soon as it is there", () => {
  const { clock, network, sent, user, link, runUntil, missing } = bench();
  const up = link("up", 1_000);
  const flow = network.open(user("a"), [up], 1_000);
  for (const block of [0, 2]) missing.add(block);
  network.push(flow, "f", "content", 0, 3);
  const come = (block: number): void => {
    missing.delete(block);
    network.arrived(flow, "f", "content", block, block + 1);
  };
  clock.at(0.5e9, 0, () => come(2));
  clock.at(5e9, 0, () => {
    assert.equal(flow.state, "waiting");
    assert.equal(up.offeredBitsPerSecond, 0);
    come(0);
  });
  runUntil(10e9);
  assert.deepEqual(
    sent.map(({ block, atNanoseconds }) => [block, atNanoseconds]),
    [
      [1, 1e9],
      [2, 2e9],
      [0, 6e9],
    ],
  );
  assert.equal(flow.state, "idle");
});

test("a change of rate counts from the bit on that it meets, and a closed flow gives its links back", () => {
  const { clock, network, sent, user, link, runUntil } = bench();
  const up = link("up", 4_000);
  const flow = network.open(user("a"), [up], 1_000);
  network.push(flow, "f", "content", 0, 2);
  clock.at(0.5e9, 0, () => network.setRate(flow, 4_000));
  clock.at(0.75e9, 0, () => assert.equal(network.close(flow), 62));
  runUntil(10e9);
  assert.deepEqual(
    sent.map(({ atNanoseconds }) => atNanoseconds),
    [0.625e9],
  );
  assert.equal(up.offeredBitsPerSecond, 0);
  assert.equal(up.sending.size, 0);
});

test("lanes that were allocated more than the link is declared to carry are noticed at the instant's end", () => {
  const { clock, network, user, link, runUntil, overloads } = bench();
  const links = [link("up", 1_000)];
  const flows = [600, 600, 400].map((rate) => network.open(user("a"), links, rate));
  const [first, second, third] = flows;
  if (first === undefined || second === undefined || third === undefined) return;
  network.push(first, "f", "content", 0, 20);
  // One instant in which one goes and another comes is no overload, in whatever order.
  clock.at(1e9, 0, () => {
    network.push(second, "f", "content", 0, 20);
    network.close(first);
  });
  clock.at(2e9, 0, () => network.push(third, "f", "content", 0, 20));
  clock.at(3e9, 0, () => {
    network.setLink("up", 900, 900);
    network.tolerateUntil(4e9);
  });
  runUntil(5e9);
  assert.deepEqual(overloads, ["up at 4000000000"]);
});

test("jitter changes durations by up to its part, the same way for the same seed", () => {
  const run = (): number[] => {
    const { network, sent, user, runUntil } = bench(0.1);
    const flow = network.open(user("a"), [], 1_000);
    network.push(flow, "f", "content", 0, 50);
    runUntil(100e9);
    return sent.map(({ atNanoseconds }, index) => atNanoseconds - (sent[index - 1]?.atNanoseconds ?? 0));
  };
  const durations = run();
  assert.equal(durations.length, 50);
  for (const duration of durations) assert.ok(duration >= 0.9e9 && duration <= 1.1e9);
  assert.ok(new Set(durations).size > 20);
  assert.deepEqual(run(), durations);
});
