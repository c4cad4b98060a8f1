/**
 * Draws a simulation as SVG: how complete everything is over time beside the bound, and how much of the busiest links was
 * used. A pure function of the result.
 */
import type { SimulationHistory, SimulationResult } from "../../simulator/result.ts";
import type { UseSeries } from "../../simulator/link-use.ts";
import { drawChart, type ChartLine, type ChartMark } from "./chart.ts";
import { element, text } from "./svg.ts";

const width = 1080;
const height = 720;
const plotLeft = 78;
const plotWidth = 700;
const plotHeight = 230;
/** Points on a line of completions: there may be a hundred thousand of them. */
const maximumSteps = 600;
/** Stretches of time on a line of use; with more of them it would be noise. */
const maximumStretches = 170;
/** Links of sites and by name that are drawn. */
const maximumLinks = 4;

const colors = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8c6d00"];
const dashes = ["7 3", "1.5 3", "12 3 2 3", "4 5"];
const boundColor = "#b00020";

/** An SVG document. @param title the scenario's name */
export function drawSimulation(title: string, result: SimulationResult, history: SimulationHistory): string {
  const lastSeconds = Math.max(result.makespanSeconds, result.boundSeconds, 1e-3) * 1.03;
  const frame = { left: plotLeft, width: plotWidth, height: plotHeight, lastSeconds };
  const bound: ChartMark = {
    label: `bound ${seconds(result.boundSeconds)}`,
    color: boundColor,
    seconds: result.boundSeconds,
  };
  const subtitle =
    `makespan ${seconds(result.makespanSeconds)}, bound ${seconds(result.boundSeconds)} (${result.boundKind}), ` +
    `ratio ${result.ratio.toFixed(3)}, ${result.uplinkCopies.toFixed(2)} copies over site uplinks`;
  const content = [
    element("rect", { width, height, fill: "#ffffff" }),
    text({ x: plotLeft, y: 30 }, title, { "font-size": 18, "font-weight": "bold", fill: "#111111" }),
    text({ x: plotLeft, y: 51 }, subtitle, { fill: "#444444" }),
    drawChart({ ...frame, top: 96, title: "Progress", axis: "part that is there" }, progressLines(result, history), [
      bound,
    ]),
    drawChart(
      { ...frame, top: 430, title: "Use of links", axis: "part of capacity in use" },
      useLines(history, lastSeconds),
      [bound],
    ),
  ].join("\n");
  const attributes = {
    xmlns: "http://www.w3.org/2000/svg",
    viewBox: `0 0 ${width} ${height}`,
    width,
    height,
    "font-family": "system-ui, sans-serif",
    "font-size": 12,
  };
  return `${element("svg", attributes, `\n${content}\n`)}\n`;
}

function progressLines(result: SimulationResult, history: SimulationHistory): ChartLine[] {
  const { completedSeconds, wantedCount, wantedBytes, startSeconds, use } = history;
  const stored: [number, number][] = [[0, 0]];
  for (const [index, bytes] of use.storedBytes.entries()) {
    const at = (use.endsAtNanoseconds[index] ?? 0) / 1e9 - startSeconds;
    if (at > 0) stored.push([at, wantedBytes === 0 ? 1 : bytes / wantedBytes]);
  }
  const complete: [number, number][] = [[0, 0]];
  const stride = Math.max(1, Math.ceil(completedSeconds.length / maximumSteps));
  let before = 0;
  for (let count = stride; before < completedSeconds.length; count += stride) {
    const reached = Math.min(count, completedSeconds.length);
    const at = completedSeconds[reached - 1] ?? 0;
    complete.push([at, before / wantedCount], [at, reached / wantedCount]);
    before = reached;
  }
  complete.push([result.makespanSeconds, before / Math.max(1, wantedCount)]);
  return [
    { label: "bytes at their targets", color: colors[0] ?? "", points: stored },
    { label: "targets that have everything", color: colors[1] ?? "", points: complete },
  ];
}

/** The links that were used most, the interface that was, and all interfaces together. */
function useLines({ use, startSeconds }: SimulationHistory, lastSeconds: number): ChartLine[] {
  const ranked = use.series
    .map((series) => ({ series, mean: meanOf(series) }))
    .filter(({ mean }) => mean > 0)
    .sort((one, other) => other.mean - one.mean)
    .map(({ series }) => series);
  const isInterface = ({ name }: UseSeries): boolean => name.startsWith("agents.");
  const isMean = ({ name }: UseSeries): boolean => name.startsWith("all ");
  const links = ranked.filter((series) => !isInterface(series) && !isMean(series)).slice(0, maximumLinks);
  const busiest = ranked.filter(isInterface).slice(0, links.length === 0 ? 3 : 1);
  // The later ones are thinner, so that lines that lie on each other can all be seen.
  const drawn = [...links, ...busiest].map((series, index) => ({
    series,
    color: colors[index] ?? "",
    dash: undefined,
    width: 3.8 - 0.6 * index,
  }));
  const means = ranked
    .filter(isMean)
    .map((series, index) => ({ series, color: "#555555", dash: dashes[index] ?? "", width: 1.3 }));
  return [...drawn, ...means].map(({ series, color, dash, width }) => ({
    label: series.name,
    color,
    dash,
    width,
    points: pointsOf(series, use.endsAtNanoseconds, startSeconds, lastSeconds),
  }));
}

/** Each stretch, or the mean of some, as a step. */
function pointsOf(
  { use }: UseSeries,
  endsAtNanoseconds: readonly number[],
  startSeconds: number,
  lastSeconds: number,
): [number, number][] {
  const points: [number, number][] = [];
  const stride = Math.max(1, Math.ceil(use.length / maximumStretches));
  let from = 0;
  for (let first = 0; first < use.length; first += stride) {
    const parts = use.slice(first, first + stride);
    const until = (endsAtNanoseconds[first + parts.length - 1] ?? 0) / 1e9 - startSeconds;
    const part = parts.reduce((sum, value) => sum + value, 0) / parts.length;
    if (until > 0 && from < lastSeconds) points.push([from, part], [Math.min(until, lastSeconds), part]);
    from = Math.max(0, until);
  }
  return points;
}

function meanOf({ use }: UseSeries): number {
  return use.length === 0 ? 0 : use.reduce((sum, part) => sum + part, 0) / use.length;
}

function seconds(value: number): string {
  return `${value.toFixed(value < 100 ? 2 : 1)} s`;
}
