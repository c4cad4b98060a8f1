/**
 * The controller verifies too (claims 18, 27): it asks an agent for the bytes of a random block that the agent says it
 * holds, and checks them itself. What is wrong is discarded by the agent, counted, and fetched again. The bytes are
 * charged to the agent's and its site's way out like any others.
 */
import { fromBase64 } from "../../std/base64.ts";
import { equalBytes } from "../../std/bytes.ts";
import { agentNicUp, siteUplink } from "../../model/resources.ts";
import type { ChallengeData } from "../../protocol/agent-messages.ts";
import { RangeSet } from "../../std/ranges.ts";
import { countFailure } from "./components.ts";
import { trustAgent } from "./publish-progress.ts";
import { nanosecondsPerMillisecond } from "./settings.ts";
import type { Agent, Challenge, ChallengeRun, ControllerState } from "./state.ts";

/** The most that a challenge takes of an agent's way out. */
const challengeBitsPerSecond = 200_000_000;
/** The least that is worth starting with. */
const leastBitsPerSecond = 1_000_000;

/** Starts an operator's run; its reply comes when all blocks are checked. */
export function startRun(state: ControllerState, requestId: number, agent: Agent, blocks: number): void {
  const run: ChallengeRun = {
    requestId,
    agentId: agent.row.agentId,
    left: blocks,
    checkedBlocks: 0,
    checkedBytes: 0,
    damaged: [],
  };
  continueRun(state, run);
}

/** Starts the next challenge of a run, or ends it. */
function continueRun(state: ControllerState, run: ChallengeRun): void {
  state.waitingRuns.delete(run);
  const agent = state.agents.get(run.agentId);
  if (agent === undefined || !agent.ready) {
    state.out.reply(run.requestId, {
      ok: false,
      code: "unavailable",
      message: "the agent went away while it was being verified: try again when it is back",
    });
    return;
  }
  const holdsSome = [...agent.fileSets].some(([key, known]) => state.fileSets.has(key) && !known.held.isEmpty);
  if (run.left === 0 || !holdsSome) {
    const { checkedBlocks, checkedBytes, damaged } = run;
    state.out.reply(run.requestId, {
      ok: true,
      result: { agent: agent.row.name, checkedBlocks, checkedBytes, damaged },
    });
    return;
  }
  if (challenge(state, agent, run)) run.left -= 1;
  else state.waitingRuns.add(run);
}

/**
 * Challenges an agent with a random block, of all that it holds or of those given.
 * @returns false when there is no bandwidth for it now
 */
function challenge(
  state: ControllerState,
  agent: Agent,
  run: ChallengeRun | undefined,
  among?: ChallengedBlocks,
): boolean {
  const { ledger } = state.scheduler.world;
  const path = [agentNicUp(agent.row.name), siteUplink(agent.row.site)].map((name) => ledger.resource(name));
  const rateBitsPerSecond = Math.floor(Math.min(ledger.free(path), challengeBitsPerSecond));
  const choice = among ?? randomHolding(state, agent);
  if (choice === undefined || rateBitsPerSecond < Math.min(leastBitsPerSecond, ledger.capabilityOf(path))) return false;
  const { key } = choice;
  const block = choice.blocks.nth(state.random.nextBelow(choice.blocks.count));
  const lengthBytes = state.fileSets.get(key)?.manifest.blockLengthBytes(block) ?? 0;
  ledger.allocate(path, rateBitsPerSecond);
  const challengeId = state.scheduler.takeLaneId();
  const timeout =
    state.settings.challengeTimeoutMilliseconds + Math.ceil((2 * lengthBytes * 8_000) / rateBitsPerSecond);
  state.challenges.set(challengeId, {
    challengeId,
    block,
    path,
    rateBitsPerSecond,
    run,
    agentId: agent.row.agentId,
    fileSet: key,
    deadlineNanoseconds: state.now + timeout * nanosecondsPerMillisecond,
    parts: [],
    receivedBytes: 0,
  });
  state.out.sendAgent(agent.connectionId, {
    type: "challenge",
    term: state.term,
    challengeId,
    fileSet: key,
    block,
    rateBitsPerSecond,
  });
  return true;
}

/** Bytes of a challenged block. More than the block's length ends the challenge as wrong. */
export function handleChallengeData(state: ControllerState, agent: Agent, message: ChallengeData): void {
  const running = state.challenges.get(message.challengeId);
  if (running === undefined || running.agentId !== agent.row.agentId) return;
  const fileSet = state.fileSets.get(running.fileSet);
  const lengthBytes = fileSet?.manifest.blockLengthBytes(running.block) ?? 0;
  const bytes = fromBase64(message.bytes);
  running.receivedBytes += bytes.length;
  if (running.receivedBytes <= lengthBytes) running.parts.push(bytes);
  if (message.end === undefined && running.receivedBytes <= lengthBytes) return;
  end(state, running);
  const stillAssigned = agent.fileSets.has(running.fileSet);
  if (fileSet === undefined || (message.end === "absent" && !stillAssigned)) {
    if (running.run !== undefined) continueRun(state, running.run);
    return;
  }
  const good =
    message.end === "whole" &&
    running.receivedBytes === lengthBytes &&
    matches(state, running, fileSet.manifest.blockChecksum(running.block), fileSet.row.algorithm);
  if (running.run !== undefined) {
    running.run.checkedBlocks += 1;
    running.run.checkedBytes += lengthBytes;
  }
  const claimants = state.publishes.get(fileSet.row.publishId)?.claimants;
  if (claimants?.has(agent.row.agentId) === true) {
    claimants.set(agent.row.agentId, state.now + state.settings.retryMilliseconds * nanosecondsPerMillisecond);
  }
  if (good) trustAgent(state, fileSet, agent.row);
  else {
    const problem = message.end === undefined ? "is longer than it is" : problems[message.end];
    const path = fileSet.manifest.files[fileSet.manifest.blockFile(running.block)]?.path ?? "";
    state.out.note(
      "warn",
      `agent ${agent.row.name}: block ${running.block} of ${running.fileSet} (${path}) ${problem}`,
      { agent: agent.row.name, agentId: agent.row.agentId, fileSet: running.fileSet },
    );
    running.run?.damaged.push({ fileSet: running.fileSet, block: running.block, path, problem });
    state.out.sendAgent(agent.connectionId, {
      type: "discard",
      term: state.term,
      fileSet: running.fileSet,
      block: running.block,
    });
    countFailure(
      state,
      `agents.${agent.row.name}`,
      `challenged by the controller: block ${running.block} of ${running.fileSet} (${path}) ${problem}`,
    );
  }
  if (running.run !== undefined) continueRun(state, running.run);
}

interface ChallengedBlocks {
  /** NAME@VERSION. */
  readonly key: string;
  readonly blocks: RangeSet;
}

function randomHolding(state: ControllerState, agent: Agent): ChallengedBlocks | undefined {
  const held = [...agent.fileSets].filter(([key, known]) => state.fileSets.has(key) && !known.held.isEmpty);
  if (held.length === 0) return undefined;
  const [key, known] = state.random.pick(held);
  return { key, blocks: known.held };
}

/** Asks agents that claim what they were never given for a block of it. */
function challengeClaimants(state: ControllerState): void {
  for (const publish of state.publishes.values()) {
    const fileSet = state.fileSets.get(publish.key);
    for (const [agentId, notBefore] of publish.claimants) {
      if (notBefore > state.now) continue;
      const agent = state.agents.get(agentId);
      const known = agent?.fileSets.get(publish.key);
      const blocks = known?.held.difference(publish.plausible ?? new RangeSet());
      if (fileSet === undefined || agent === undefined || blocks === undefined || blocks.isEmpty) {
        publish.claimants.delete(agentId);
      } else if (agent.ready && ![...state.challenges.values()].some((running) => running.agentId === agentId)) {
        challenge(state, agent, undefined, { key: publish.key, blocks });
      }
    }
  }
}

/** What an answer says that is not right. */
const problems = {
  whole: "does not match its checksum",
  absent: "has been found changed on its disk",
  unreadable: "cannot be read from its disk",
} as const;

function matches(
  state: ControllerState,
  running: Challenge,
  expected: Uint8Array,
  algorithm: "blake3" | "sha256",
): boolean {
  const bytes = new Uint8Array(running.receivedBytes);
  let offset = 0;
  for (const part of running.parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return equalBytes(state.hash(algorithm, bytes), expected);
}

function end(state: ControllerState, running: Challenge): void {
  state.challenges.delete(running.challengeId);
  state.scheduler.world.ledger.release(running.path, running.rateBitsPerSecond);
}

/** An agent is disconnected: what it was asked for will not come. */
export function endChallengesOf(state: ControllerState, agentId: string): void {
  for (const running of [...state.challenges.values()]) {
    if (running.agentId !== agentId) continue;
    end(state, running);
    if (running.run !== undefined) continueRun(state, running.run);
  }
}

/** Starts what is due; gives the time of the next deadline or challenge. */
export function tickChallenges(state: ControllerState): number | undefined {
  // Entries of a map may be deleted while it is walked through.
  for (const running of state.challenges.values()) {
    if (running.deadlineNanoseconds > state.now) continue;
    end(state, running);
    if (running.run !== undefined) {
      state.out.reply(running.run.requestId, {
        ok: false,
        code: "unavailable",
        message: "the agent did not answer in time",
      });
    }
  }
  if (state.waitingRuns.size > 0) for (const run of [...state.waitingRuns]) continueRun(state, run);
  challengeClaimants(state);
  const interval = state.settings.challengeIntervalMilliseconds * nanosecondsPerMillisecond;
  if (interval > 0) {
    state.nextChallengeAtNanoseconds ??= state.now + interval;
    if (state.nextChallengeAtNanoseconds <= state.now) {
      const agents = [...state.agents.values()].filter((agent) => agent.ready && agent.fileSets.size > 0);
      if (agents.length > 0) challenge(state, state.random.pick(agents), undefined);
      state.nextChallengeAtNanoseconds = state.now + interval;
    }
  }
  let next = interval > 0 ? state.nextChallengeAtNanoseconds : undefined;
  for (const { claimants } of state.publishes.values()) {
    for (const notBefore of claimants.values()) {
      next = Math.min(next ?? Infinity, Math.max(notBefore, state.now + waitNanoseconds));
    }
  }
  if (state.waitingRuns.size > 0) next = Math.min(next ?? Infinity, state.now + waitNanoseconds);
  for (const running of state.challenges.values()) next = Math.min(next ?? Infinity, running.deadlineNanoseconds);
  return next;
}

/** How often a run that waits for bandwidth looks again. */
const waitNanoseconds = 100_000_000;
