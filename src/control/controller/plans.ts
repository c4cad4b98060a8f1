/**
 * Stored schedules (claims 8, 37): one is worked out when an operator asks for it, or, in the mode `precomputed`, by itself
 * as soon as all of a file set is in the fleet. It is made in slices between other events, made durable, and only then
 * followed; a restarted controller follows it on.
 */
import { UserError } from "../../std/errors.ts";
import { decodePlan, encodePlan } from "../../scheduler/plan-codec.ts";
import { PlanMaker } from "../../scheduler/plan-maker.ts";
import { stepAt, stepCount, numbersPerStep, type Plan } from "../../scheduler/plan.ts";
import type { PlanView } from "../../protocol/plan-views.ts";
import { decodeUtf8 } from "../../std/utf8.ts";
import type { StoredRow } from "../store-port.ts";
import { isTarget } from "./assignments.ts";
import type { OperatorReply } from "./controller-events.ts";
import { dateMilliseconds, type ControllerState, type FileSet } from "./state.ts";

/** Transfers that are worked out in one go: some ten milliseconds, in which nothing else is heard. */
const transfersPerSlice = 1_000;
/** Plans that are kept; the oldest gives way. */
const maximumPlans = 16;
/** Steps that a view of one agent's part names. */
const maximumViewedSteps = 10_000;
/** A row begins with when the plan was made, in so many digits. */
const dateDigits = 16;

export interface StoredPlan {
  readonly plan: Plan;
  readonly madeAtMilliseconds: number;
  readonly storedBytes: number;
}

/** A plan that is being worked out, and those who wait to hear of it. */
interface Planning {
  readonly fileSet: FileSet;
  readonly requestIds: number[];
  maker: PlanMaker | undefined;
}

export interface Plans {
  /** By NAME@VERSION, the oldest first. */
  readonly stored: Map<string, StoredPlan>;
  readonly planning: Map<string, Planning>;
}

export function newPlans(): Plans {
  return { stored: new Map(), planning: new Map() };
}

/** Has a plan worked out; `requestId` is answered when it is durable. */
export function requestPlan(state: ControllerState, fileSet: FileSet, requestId?: number): void {
  const planning = state.plans.planning.get(fileSet.key) ?? { fileSet, requestIds: [], maker: undefined };
  state.plans.planning.set(fileSet.key, planning);
  if (requestId !== undefined) planning.requestIds.push(requestId);
}

/** All of the file set is with agents now. */
export function planWhenComplete(state: ControllerState, fileSet: FileSet): void {
  if (state.settings.mode === "precomputed" && !state.plans.stored.has(fileSet.key)) requestPlan(state, fileSet);
}

/** Goes on with the first plan that is to be made. @returns when to be called again */
export function workOnPlans(state: ControllerState): number | undefined {
  const [planning] = state.plans.planning.values();
  if (planning === undefined) return undefined;
  const { fileSet } = planning;
  planning.maker ??= startMaker(state, fileSet);
  if (!planning.maker.work(transfersPerSlice)) return state.now;
  state.plans.planning.delete(fileSet.key);
  keepPlan(state, fileSet, planning.maker.plan());
  for (const requestId of planning.requestIds) {
    state.out.reply(requestId, { ok: true, result: planView(state, fileSet, undefined) as PlanView });
  }
  return state.plans.planning.size > 0 ? state.now : undefined;
}

function startMaker(state: ControllerState, fileSet: FileSet): PlanMaker {
  const targets = [...state.agents.values()].flatMap((agent) =>
    agent.member !== undefined && isTarget(state, agent, fileSet) ? [agent.member] : [],
  );
  const { settings } = state;
  const { policy, partitions, mode } = settings;
  return new PlanMaker(state.scheduler, fileSet.content, targets, {
    seed: state.random.nextUint32(),
    firstLaneId: 1,
    settings: settings.scheduler,
    weights: settings.weights,
    choice: { policy, partitions, mode: mode === "partition" ? "partition" : "incremental" },
  });
}

function keepPlan(state: ControllerState, fileSet: FileSet, plan: Plan): void {
  const bytes = encodePlan(plan);
  const madeAtMilliseconds = dateMilliseconds(state);
  const value = new Uint8Array(dateDigits + bytes.length);
  const digits = String(madeAtMilliseconds).padStart(dateDigits, "0");
  for (let index = 0; index < dateDigits; index += 1) value[index] = digits.charCodeAt(index);
  value.set(bytes, dateDigits);
  state.plans.stored.delete(fileSet.key);
  state.plans.stored.set(fileSet.key, { plan, madeAtMilliseconds, storedBytes: value.length });
  state.out.store({ table: "plans", key: fileSet.key, value });
  const [oldest] = state.plans.stored.keys();
  if (state.plans.stored.size > maximumPlans && oldest !== undefined) forgetPlan(state, oldest);
  state.scheduler.plans.follow(fileSet.content, plan);
  state.out.note(
    "info",
    `a plan for ${fileSet.key} is made: ${stepCount(plan)} transfers to ${plan.targets.length} agents in ${plan.predictedMilliseconds / 1_000} s`,
  );
}

/** Drops a file set's plan, and one that is being made. */
export function forgetPlan(state: ControllerState, key: string): void {
  const planning = state.plans.planning.get(key);
  state.plans.planning.delete(key);
  for (const requestId of planning?.requestIds ?? []) state.out.reply(requestId, gone(key));
  if (!state.plans.stored.delete(key)) return;
  state.out.store({ table: "plans", key, value: undefined });
  const fileSet = state.fileSets.get(key);
  if (fileSet !== undefined) state.scheduler.plans.forgetPlan(fileSet.content);
}

function gone(key: string): OperatorReply {
  return { ok: false, code: "notFound", message: `${key} was removed before its plan was made` };
}

/** Takes plans back from the store, once the file sets are there. @throws UserError when one cannot be read */
export function restorePlans(state: ControllerState, rows: readonly StoredRow[]): void {
  const restored: [string, StoredPlan][] = [];
  for (const { table, key, value } of rows) {
    const fileSet = table === "plans" ? state.fileSets.get(key) : undefined;
    if (fileSet === undefined) continue;
    const digits = decodeUtf8(value.subarray(0, dateDigits));
    if (!/^[0-9]{16}$/.test(digits)) throw new UserError(`the controller's store is damaged: row plans/${key}`);
    const plan = decodePlan(value.subarray(dateDigits));
    restored.push([key, { plan, madeAtMilliseconds: Number(digits), storedBytes: value.length }]);
    if (plan.blockCount === fileSet.content.blockCount) state.scheduler.plans.follow(fileSet.content, plan);
  }
  restored.sort(([, one], [, other]) => one.madeAtMilliseconds - other.madeAtMilliseconds);
  for (const [key, stored] of restored) state.plans.stored.set(key, stored);
}

/** What is shown of a file set's plan; undefined: it has none. @param agentName whose steps are listed */
export function planView(
  state: ControllerState,
  fileSet: FileSet,
  agentName: string | undefined,
): PlanView | undefined {
  const stored = state.plans.stored.get(fileSet.key);
  if (stored === undefined) return undefined;
  const { plan } = stored;
  const progress = state.scheduler.plans.progress(fileSet.content);
  const nameOf = (id: string): string => state.agents.get(id)?.row.name ?? id;
  const agents = plan.targets.map((target) => {
    const transfers = target.steps.length / numbersPerStep;
    return {
      agent: nameOf(target.id),
      state: progress?.followers.get(target.id)?.state ?? "left",
      transfers,
      firstSeconds: transfers === 0 ? 0 : stepAt(plan, target, 0).startMilliseconds / 1_000,
      lastSeconds: transfers === 0 ? 0 : stepAt(plan, target, transfers - 1).startMilliseconds / 1_000,
    };
  });
  const target = plan.targets.find(({ id }) => nameOf(id) === agentName);
  const shown = Math.min(maximumViewedSteps, (target?.steps.length ?? 0) / numbersPerStep);
  return {
    fileSet: fileSet.key,
    madeAtMilliseconds: stored.madeAtMilliseconds,
    predictedSeconds: plan.predictedMilliseconds / 1_000,
    isWhole: plan.isWhole,
    transfers: stepCount(plan),
    storedBytes: stored.storedBytes,
    counts: progress?.counts() ?? { following: 0, left: plan.targets.length, done: 0 },
    begun: progress?.begunSteps ?? 0,
    agents: agents.sort((one, other) => (one.agent < other.agent ? -1 : 1)),
    ...(target === undefined
      ? {}
      : {
          steps: Array.from({ length: shown }, (_, index) => {
            const step = stepAt(plan, target, index);
            return {
              source: nameOf(step.sourceId),
              start: step.start,
              end: step.end,
              rateBitsPerSecond: step.rateBitsPerSecond,
              startSeconds: step.startMilliseconds / 1_000,
            };
          }),
        }),
  };
}
