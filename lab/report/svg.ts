/**
 * Draws how many hosts were complete at what time, a line for each tool (that of its median run), the bound beside them.
 * Pure: the same report gives the same text.
 */
import { finishedRuns, type RaceReport, type RunFigures, type ToolReport } from "./race-report.ts";

const width = 860;
const height = 400;
const plot = { left: 64, right: 640, top: 48, bottom: 344 } as const;
const colors: readonly string[] = ["#0b62c4", "#c4500b", "#2f8a3a", "#8a3ab0", "#9a7b00", "#b0305c"];
const font = 'font-family="system-ui, sans-serif" font-size="13"';
const wantedTicks = 8;

interface Line {
  readonly tool: string;
  readonly color: string;
  readonly run: RunFigures;
}

/** The whole SVG. */
export function raceSvg(report: RaceReport): string {
  const lines = report.tools.flatMap((tool, index): Line[] => {
    const run = medianRun(tool);
    return run === undefined ? [] : [{ tool: tool.tool, color: colors[index % colors.length] ?? "#000", run }];
  });
  const longest = Math.max(report.boundSeconds ?? 0, ...lines.map(({ run }) => run.makespanSeconds), 0.001);
  const step = tickStep(longest);
  const lastSeconds = Math.ceil(longest / step) * step;
  const x = (seconds: number): number => round(plot.left + (seconds / lastSeconds) * (plot.right - plot.left));
  const y = (share: number): number => round(plot.bottom - share * (plot.bottom - plot.top));
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" ${font}>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    `<text x="${plot.left}" y="26" font-size="15" fill="#222">${escapeText(`Race ${report.race}: hosts that have everything, over time`)}</text>`,
    ...verticalAxis(y),
    ...horizontalAxis(x, step, lastSeconds),
    ...boundMark(report, x, y),
    ...lines.map((line) => curve(line, x, y)),
    ...legend(report, lines),
    "</svg>",
  ];
  return `${parts.join("\n")}\n`;
}

function verticalAxis(y: (share: number) => number): string[] {
  return [0, 0.25, 0.5, 0.75, 1].flatMap((share) => [
    `<line x1="${plot.left}" x2="${plot.right}" y1="${y(share)}" y2="${y(share)}" stroke="#ddd"/>`,
    `<text x="${plot.left - 8}" y="${y(share) + 4}" text-anchor="end" fill="#444">${share * 100} %</text>`,
  ]);
}

function horizontalAxis(x: (seconds: number) => number, step: number, lastSeconds: number): string[] {
  const parts: string[] = [];
  const digits = step < 1 ? 1 : 0;
  for (let tick = 0; tick <= Math.round(lastSeconds / step); tick += 1) {
    const at = x(tick * step);
    parts.push(
      `<line x1="${at}" x2="${at}" y1="${plot.bottom}" y2="${plot.bottom + 5}" stroke="#888"/>`,
      `<text x="${at}" y="${plot.bottom + 20}" text-anchor="middle" fill="#444">${(tick * step).toFixed(digits)}</text>`,
    );
  }
  const middle = (plot.left + plot.right) / 2;
  parts.push(
    `<line x1="${plot.left}" x2="${plot.right}" y1="${plot.bottom}" y2="${plot.bottom}" stroke="#888"/>`,
    `<text x="${middle}" y="${plot.bottom + 42}" text-anchor="middle" fill="#444">seconds since the clock started</text>`,
  );
  return parts;
}

function boundMark(report: RaceReport, x: (seconds: number) => number, y: (share: number) => number): string[] {
  if (report.boundSeconds === null) return [];
  const at = x(report.boundSeconds);
  return [`<line x1="${at}" x2="${at}" y1="${y(0)}" y2="${y(1)}" stroke="#555" stroke-dasharray="5 4"/>`];
}

/** Steps: a host more at each completion. */
function curve({ color, run }: Line, x: (seconds: number) => number, y: (share: number) => number): string {
  const { completions } = run;
  const points = completions.map(
    ({ seconds }, index) => `H${x(Math.max(0, seconds))} V${y((index + 1) / completions.length)}`,
  );
  return `<path d="M${x(0)} ${y(0)} ${points.join(" ")}" fill="none" stroke="${color}" stroke-width="2"/>`;
}

function legend(report: RaceReport, lines: readonly Line[]): string[] {
  const entries = lines.map(({ tool, color, run }) => ({
    text: `${tool} ${run.makespanSeconds.toFixed(1)} s`,
    stroke: `stroke="${color}" stroke-width="3"`,
  }));
  if (report.boundSeconds !== null) {
    entries.push({ text: `bound ${report.boundSeconds.toFixed(1)} s`, stroke: 'stroke="#555" stroke-dasharray="5 4"' });
  }
  return entries.flatMap(({ text, stroke }, index) => {
    const at = plot.top + 8 + index * 24;
    return [
      `<line x1="${plot.right + 20}" x2="${plot.right + 48}" y1="${at}" y2="${at}" ${stroke}/>`,
      `<text x="${plot.right + 56}" y="${at + 4}" fill="#222">${escapeText(text)}</text>`,
    ];
  });
}

/** The finished run whose makespan is the (lower) middle one. */
function medianRun(report: ToolReport): RunFigures | undefined {
  const runs = finishedRuns(report).toSorted((one, other) => one.makespanSeconds - other.makespanSeconds);
  return runs[Math.floor((runs.length - 1) / 2)];
}

/** 1, 2 or 5 times a power of ten. */
function tickStep(longest: number): number {
  const power = 10 ** Math.floor(Math.log10(longest / wantedTicks));
  return ([1, 2, 5, 10].find((factor) => longest / (factor * power) <= wantedTicks) ?? 10) * power;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escapeText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
