/**
 * How far away agents are: each is asked for a sign now and then, and what the quickest of its latest answers took is what
 * words to it and back take. Its first answer of a connection alone would not tell: when a whole fleet starts at once, it
 * waits behind what all of them do then. Costs a message each way for an agent now and then, and nothing in between.
 */
import { BinaryHeap } from "../../std/heap.ts";
import { nanosecondsPerMillisecond } from "./settings.ts";
import type { Agent, ControllerState, DueEchoes } from "./state.ts";

/** An agent is asked again after this, then after twice this, and so on up to the longest pause. */
const firstEchoPauseMilliseconds = 100;
const longestEchoPauseMilliseconds = 30_000;
/** The quickest of so many answers counts: those before them may be from when the way was another. */
const latestEchoes = 8;
/** From this minor version of the protocol on agents answer. */
const echoingSince = { major: 1, minor: 1 } as const;

type EchoingState = Pick<ControllerState, "dueEchoes" | "now" | "term" | "out">;

export function newDueEchoes(): DueEchoes {
  return new BinaryHeap((one, other) => one.atNanoseconds < other.atNanoseconds);
}

export function answersEchoes(protocol: { readonly major: number; readonly minor: number }): boolean {
  return protocol.major === echoingSince.major && protocol.minor >= echoingSince.minor;
}

/** The agent's whole state has come: it is asked from now on, until its connection ends or another takes its place. */
export function beginEchoes(state: EchoingState, agent: Agent): void {
  if (!agent.answersEchoes) return;
  agent.echo = {
    echoId: 0,
    sentNanoseconds: undefined,
    pauseMilliseconds: firstEchoPauseMilliseconds,
    tookNanoseconds: [],
  };
  state.dueEchoes.push({ agent, echo: agent.echo, atNanoseconds: state.now });
}

/** Asks whom it is time to ask. @returns when the next one is due; undefined: nobody is there */
export function sendEchoes(state: EchoingState): number | undefined {
  const { dueEchoes, now, term } = state;
  for (let due = dueEchoes.peek(); due !== undefined; due = dueEchoes.peek()) {
    const { agent, echo } = due;
    const isOver = agent.echo !== echo;
    if (!isOver && due.atNanoseconds > now) return due.atNanoseconds;
    dueEchoes.pop();
    if (isOver) continue;
    echo.echoId += 1;
    echo.sentNanoseconds = now;
    state.out.sendAgent(agent.connectionId, { type: "echo", term, echoId: echo.echoId });
    dueEchoes.push({ agent, echo, atNanoseconds: now + echo.pauseMilliseconds * nanosecondsPerMillisecond });
    echo.pauseMilliseconds = Math.min(longestEchoPauseMilliseconds, 2 * echo.pauseMilliseconds);
  }
  return undefined;
}

/** An agent has answered. What it says about another echo than the last is not counted. */
export function takeEchoed(state: EchoingState, agent: Agent, echoId: number): void {
  const { echo, member } = agent;
  if (echo?.sentNanoseconds === undefined || echo.echoId !== echoId) return;
  echo.tookNanoseconds.push(state.now - echo.sentNanoseconds);
  if (echo.tookNanoseconds.length > latestEchoes) echo.tookNanoseconds.shift();
  echo.sentNanoseconds = undefined;
  if (member !== undefined) member.delay.roundTripNanoseconds = Math.min(...echo.tookNanoseconds);
}
