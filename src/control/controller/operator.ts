/** What operators ask for: each request is checked, made durable, carried out, and answered with what was done. */
import { putBack } from "./components.ts";
import type { OperatorErrorCode, OperatorRequest, OperatorResult } from "../../protocol/views.ts";
import { didYouMean } from "../../std/nearest.ts";
import { activateVersion, setActive } from "./activation.ts";
import { reconcileAgent } from "./assignments.ts";
import { startRun } from "./challenges.ts";
import { removeFileSet, setPaused } from "./file-sets.ts";
import { applyOperatorWish } from "./members.ts";
import { requestPlan } from "./plans.ts";
import { abortPublish } from "./publish-progress.ts";
import { storeAgent, versionsOf, type Agent, type ControllerState, type FileSet } from "./state.ts";

/** A request that cannot be carried out, and why. */
class Refusal extends Error {
  readonly code: OperatorErrorCode;
  constructor(code: OperatorErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** Carries a request out; the reply goes into the output, at once or (verify) when it is done. */
export function handleRequest(state: ControllerState, requestId: number, request: OperatorRequest): void {
  try {
    const result = carryOut(state, requestId, request);
    if (result !== undefined) state.out.reply(requestId, { ok: true, result });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    state.out.reply(requestId, { ok: false, code: error.code, message: error.message });
  }
}

function carryOut(state: ControllerState, requestId: number, request: OperatorRequest): OperatorResult | undefined {
  switch (request.type) {
    case "removeFileSet":
      return remove(state, findVersion(state, request.name, request.version), request.force);
    case "activate":
      return activate(state, findVersion(state, request.name, request.version));
    case "pause":
    case "resume":
      return pause(state, request.name, request.version, request.type === "pause");
    case "drain":
    case "undrain":
      return setAgent(
        state,
        findAgent(state, request.agent),
        { drained: request.type === "drain" },
        `${request.agent} is ${request.type}ed`,
      );
    case "block":
      return block(state, findAgent(state, request.agent));
    case "unblock":
      return setAgent(state, findAgent(state, request.agent), { blocked: false }, `${request.agent} is unblocked`);
    case "putBack":
      return putBackByOperator(state, request.component);
    case "verifyAgent": {
      const agent = findAgent(state, request.agent);
      if (!agent.ready) throw new Refusal("unavailable", `agent ${request.agent} is not connected`);
      startRun(state, requestId, agent, request.blocks);
      return undefined;
    }
    case "plan":
      plan(state, requestId, findVersion(state, request.name, request.version));
      return undefined;
    default:
      return undefined;
  }
}

function putBackByOperator(state: ControllerState, component: string): OperatorResult {
  if (state.failures.get(component) === undefined) {
    const failed = [...state.failures.all()].map(({ name }) => name);
    throw new Refusal("notFound", `no failures of ${component} are counted${didYouMean(component, failed)}`);
  }
  putBack(state, component, "was put back by the operator");
  return { done: `${component} is in use, and its failures are forgotten` };
}

function findVersion(state: ControllerState, name: string, version: string): FileSet {
  const found = state.fileSets.get(`${name}@${version}`);
  if (found !== undefined) return found;
  const versions = versionsOf(state, name).map((fileSet) => fileSet.row.version);
  if (versions.length > 0) {
    throw new Refusal("notFound", `${name} has no version ${version}; it has ${versions.join(", ")}`);
  }
  throw unknownName(state, name);
}

function unknownName(state: ControllerState, name: string): Refusal {
  const names = new Set([...state.fileSets.values()].map((fileSet) => fileSet.row.name));
  return new Refusal("notFound", `there is no file set ${name}${didYouMean(name, names)}`);
}

function findAgent(state: ControllerState, name: string): Agent {
  const found = state.agentsByName.get(name);
  if (found !== undefined) return found;
  throw new Refusal("notFound", `there is no agent ${name}${didYouMean(name, state.agentsByName.keys())}`);
}

function remove(state: ControllerState, fileSet: FileSet, force: boolean): OperatorResult {
  const { name, version } = fileSet.row;
  const isActive = state.active.get(name) === version;
  if (isActive && !force) {
    throw new Refusal("conflict", `${fileSet.key} is the active version: activate another one first, or use --force`);
  }
  const agents = [...state.agents.values()]
    .filter((agent) => agent.fileSets.has(fileSet.key))
    .map((agent) => ({
      agent: agent.row.name,
      online: agent.connectionId !== undefined,
      heldBytes: fileSet.manifest.bytesInRanges(agent.fileSets.get(fileSet.key)?.held ?? fileSet.manifest.duplicates()),
    }));
  if (isActive) setActive(state, name, null);
  const publish = state.publishes.get(fileSet.row.publishId);
  if (publish !== undefined) abortPublish(state, publish, "removed by the operator");
  else removeFileSet(state, fileSet);
  state.out.note("info", `${fileSet.key} is removed by the operator`, { fileSet: fileSet.key });
  return { fileSet: fileSet.key, agents };
}

function activate(state: ControllerState, fileSet: FileSet): OperatorResult {
  if (fileSet.row.state !== "published") {
    throw new Refusal("conflict", `${fileSet.key} is still being published: it can be activated when that is done`);
  }
  activateVersion(state, fileSet);
  return { done: `${fileSet.key} is active` };
}

function pause(state: ControllerState, name: string, version: string | undefined, paused: boolean): OperatorResult {
  const chosen = version === undefined ? versionsOf(state, name) : [findVersion(state, name, version)];
  if (chosen.length === 0) throw unknownName(state, name);
  for (const fileSet of chosen) setPaused(state, fileSet, paused);
  return {
    done: `${chosen.map((fileSet) => fileSet.key).join(", ")} ${paused ? "paused: what is queued (about a second) still runs" : "resumed"}`,
  };
}

function plan(state: ControllerState, requestId: number, fileSet: FileSet): void {
  if (!fileSet.manifest.isComplete) {
    throw new Refusal("conflict", `${fileSet.key} is still growing: a plan can be made when it has its end`);
  }
  requestPlan(state, fileSet, requestId);
}

function setAgent(
  state: ControllerState,
  agent: Agent,
  change: { drained?: boolean; blocked?: boolean },
  done: string,
): OperatorResult {
  agent.row = { ...agent.row, ...change };
  storeAgent(state, agent);
  applyOperatorWish(state, agent);
  if (agent.row.drained && agent.member !== undefined) {
    for (const lane of [...agent.member.lanesIn, ...agent.member.lanesOut]) state.scheduler.closeLane(lane);
  }
  reconcileAgent(state, agent);
  return { done };
}

function block(state: ControllerState, agent: Agent): OperatorResult {
  const result = setAgent(state, agent, { blocked: true }, `${agent.row.name} is blocked`);
  const close = [...(agent.member?.lanesIn ?? [])].map((lane) => lane.laneId);
  if (agent.member !== undefined) state.scheduler.endLanesOf(agent.member);
  if (agent.connectionId !== undefined) {
    // Said here, and not with the decisions that follow: those come when the connection is closed.
    const { term } = state;
    state.out.sendAgent(agent.connectionId, { type: "instruct", term, close, open: [], transfers: [], rates: [] });
    state.out.sendAgent(agent.connectionId, {
      type: "refused",
      code: "blocked",
      reason: `agent ${agent.row.name} is blocked by the operator`,
      retry: true,
    });
    state.out.close(agent.connectionId);
  }
  return result;
}
