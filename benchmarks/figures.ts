/**
 * Figures that targets are on. Some are of one run; others compare it with another one: without the delay, or with another
 * policy. A figure that cannot be worked out, since the other run was not made, is undefined.
 */
import type { Scenario } from "#src/simulator/scenario.ts";
import type { ScenarioRun } from "./scenario-run.ts";

export type FigureName =
  | "ratio"
  | "healthyRatio"
  | "overOptimum"
  | "copies"
  | "p50Seconds"
  | "p999Seconds"
  | "makespanSeconds"
  | "overLatencyNone"
  | "meanOverDirect"
  | "meanOverRandom"
  | "p99OverDirect"
  | "p99OverRandom";

/** Policies whose runs a figure is compared with. */
export const comparedPolicies: Partial<Record<FigureName, string>> = {
  meanOverDirect: "direct",
  meanOverRandom: "random",
  p99OverDirect: "direct",
  p99OverRandom: "random",
};

/** What each figure is called for people. */
export const figureTitles: Readonly<Record<FigureName, string>> = {
  ratio: "ratio",
  healthyRatio: "ratio of healthy ones",
  overOptimum: "x discrete optimum",
  copies: "copies",
  p50Seconds: "p50, s",
  p999Seconds: "p99.9, s",
  makespanSeconds: "makespan, s",
  overLatencyNone: "x latency-none",
  meanOverDirect: "mean / direct",
  meanOverRandom: "mean / random",
  p99OverDirect: "p99 / direct",
  p99OverRandom: "p99 / random",
};

/** @param other the run of another scenario, or of this one with another policy, if it was made */
export function figureOf(
  name: FigureName,
  run: ScenarioRun,
  other: (scenario: string, policy?: string) => ScenarioRun | undefined,
): number | undefined {
  const { result } = run;
  const over = (value: number, reference: number | undefined): number | undefined =>
    reference === undefined || reference === 0 ? undefined : value / reference;
  switch (name) {
    case "ratio":
      return result.ratio;
    case "healthyRatio":
      return result.healthy.ratio;
    case "overOptimum":
      return over(result.makespanSeconds, discreteOptimumSeconds(run.scenario));
    case "copies":
      return result.uplinkCopies;
    case "p50Seconds":
      return result.completionSeconds.p50;
    case "p999Seconds":
      return result.completionSeconds.p999;
    case "makespanSeconds":
      return result.makespanSeconds;
    case "overLatencyNone":
      return over(result.makespanSeconds, other("latency-none")?.result.makespanSeconds);
    case "meanOverDirect":
    case "meanOverRandom":
      return over(result.meanSeconds, other(run.name, comparedPolicies[name])?.result.meanSeconds);
    case "p99OverDirect":
    case "p99OverRandom":
      return over(result.completionSeconds.p99, other(run.name, comparedPolicies[name])?.result.completionSeconds.p99);
    default:
      return name satisfies never;
  }
}

/**
 * Of M equal blocks from one origin to N targets behind equal interfaces: M - 1 + ceil(log2(N + 1)) block times (Mundinger,
 * Weber, Weiss, 2008). Undefined where a scenario is not of that form.
 */
function discreteOptimumSeconds({ agents, fileSets, topology }: Scenario): number | undefined {
  const [fileSet] = fileSets;
  const [agent] = agents;
  if (fileSet === undefined || agent === undefined) return undefined;
  if (fileSets.length > 1 || fileSet.origins.length > 1) return undefined;
  const rate = topology.nicOf(agent).upBitsPerSecond;
  if (rate === undefined || agents.some(({ site }) => site !== agent.site)) return undefined;
  const blocks = Math.ceil(fileSet.totalBytes / fileSet.blockBytes);
  return ((blocks - 1 + Math.ceil(Math.log2(agents.length))) * fileSet.blockBytes * 8) / rate;
}
