/** One panel of a plot: a part (0 to 100 %) over time, with grid, axes with units, lines, and a legend at its right. */
import { element, line, polyline, text, type Point } from "./svg.ts";

export interface ChartLine {
  readonly label: string;
  readonly color: string;
  readonly dash?: string | undefined;
  readonly width?: number | undefined;
  /** Seconds, and a part of 0..1; in order of time. */
  readonly points: readonly (readonly [seconds: number, part: number])[];
}

/** A moment that is marked from top to bottom. */
export interface ChartMark {
  readonly label: string;
  readonly color: string;
  readonly seconds: number;
}

export interface ChartFrame {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly lastSeconds: number;
  readonly title: string;
  /** What the vertical axis counts. */
  readonly axis: string;
}

const grid = "#e2e2e2";
const ink = "#222222";
const legendLineHeight = 19;
/** About so many ticks on the axis of time. */
const timeTicks = 8;
/** Characters of a name in the legend. */
const longestLabel = 34;

export function drawChart(frame: ChartFrame, lines: readonly ChartLine[], marks: readonly ChartMark[]): string {
  const { left, top, width, height, lastSeconds } = frame;
  const place = (seconds: number, part: number): Point => ({
    x: left + (Math.min(Math.max(seconds, 0), lastSeconds) / lastSeconds) * width,
    y: top + height - Math.min(Math.max(part, 0), 1) * height,
  });
  return [
    text({ x: left, y: top - 14 }, frame.title, { "font-size": 14, "font-weight": "bold", fill: ink }),
    ...axes(frame, place),
    ...lines.map(({ points, color, dash, width: stroke = 1.8 }) =>
      polyline(
        points.map(([seconds, part]) => place(seconds, part)),
        {
          stroke: color,
          "stroke-width": stroke,
          "stroke-linejoin": "round",
          ...(dash && { "stroke-dasharray": dash }),
        },
      ),
    ),
    ...marks.map(({ seconds, color }) =>
      line(place(seconds, 0), place(seconds, 1), { stroke: color, "stroke-width": 1.5, "stroke-dasharray": "6 4" }),
    ),
    ...legend(frame, [...lines, ...marks.map(({ label, color }) => ({ label, color, dash: "6 4", width: 1.5 }))]),
  ].join("\n");
}

function axes(frame: ChartFrame, place: (seconds: number, part: number) => Point): string[] {
  const { left, top, width, height, lastSeconds } = frame;
  const parts: string[] = [];
  for (const part of [0, 0.25, 0.5, 0.75, 1]) {
    const { y } = place(0, part);
    parts.push(line({ x: left, y }, { x: left + width, y }, { stroke: grid, "stroke-width": 1 }));
    parts.push(text({ x: left - 8, y: y + 4 }, `${part * 100} %`, { "text-anchor": "end", fill: ink }));
  }
  const step = tickStep(lastSeconds, timeTicks);
  for (let index = 0; index * step.value <= lastSeconds * 1.0001; index += 1) {
    const { x } = place(index * step.value, 0);
    parts.push(line({ x, y: top }, { x, y: top + height }, { stroke: grid, "stroke-width": 1 }));
    const label = (index * step.value).toFixed(step.decimals);
    parts.push(text({ x, y: top + height + 17 }, label, { "text-anchor": "middle", fill: ink }));
  }
  const middle = { x: left - 52, y: top + height / 2 };
  const turn = { "text-anchor": "middle", fill: ink, transform: `rotate(-90 ${middle.x} ${middle.y})` };
  parts.push(text(middle, frame.axis, turn));
  const under = { x: left + width / 2, y: top + height + 36 };
  parts.push(text(under, "seconds after the first file set was published", { "text-anchor": "middle", fill: ink }));
  parts.push(element("rect", { x: left, y: top, width, height, fill: "none", stroke: "#888888" }));
  return parts;
}

function legend(frame: ChartFrame, entries: readonly Omit<ChartLine, "points">[]): string[] {
  const x = frame.left + frame.width + 18;
  return entries.flatMap(({ label, color, dash, width = 1.8 }, index) => {
    const y = frame.top + 10 + index * legendLineHeight;
    const stroke = { stroke: color, "stroke-width": width + 0.7, ...(dash && { "stroke-dasharray": dash }) };
    return [
      line({ x, y: y - 4 }, { x: x + 24, y: y - 4 }, stroke),
      text({ x: x + 31, y }, shortened(label), { fill: ink }),
    ];
  });
}

function shortened(label: string): string {
  return label.length <= longestLabel ? label : `${label.slice(0, longestLabel - 1)}\u2026`;
}

/** A step of 1, 2 or 5 times a power of ten, so that there are at most `count` of them up to `last`. */
function tickStep(last: number, count: number): { value: number; decimals: number } {
  let power = 1;
  let decimals = 0;
  while (power * count < last) power *= 10;
  while (power > 1e-9 && power >= last / count) {
    power /= 10;
    if (power < 0.99) decimals += 1;
  }
  const value = [1, 2, 5, 10].map((factor) => factor * power).find((step) => step * count >= last) ?? power * 10;
  return { value, decimals: value >= 0.99 ? 0 : decimals };
}
