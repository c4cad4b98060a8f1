/**
 * Agents as squares whose colour says how far they are: two thousand fit on one screen. The mouse and the arrow keys
 * name one, a click or Enter opens it. One canvas, drawn once for each change.
 */
import { useEffect, useRef, useState } from "preact/hooks";
import { colorOf, paletteVersion } from "../theme.ts";
import { useWidth } from "./use-width.ts";
import { cellAt, gridOf, moveInGrid, type Grid } from "./heat-grid.ts";

export type CellTone = "held" | "moving" | "waiting" | "stalled" | "offline" | "extra";

export interface HeatCell {
  readonly key: string;
  readonly tone: CellTone;
  /** From 0 to 1, for the shade of what is moving. */
  readonly share: number;
  /** What is shown of it when it is pointed at. */
  readonly text: string;
  readonly href: string;
}

interface HeatMapProps {
  readonly label: string;
  readonly cells: readonly HeatCell[];
  readonly cellPixels: number;
}

export function HeatMap({ label, cells, cellPixels }: HeatMapProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { width, holder } = useWidth<HTMLDivElement>();
  const [chosen, setChosen] = useState<number | undefined>(undefined);
  const palette = paletteVersion.value;
  const grid = gridOf(cells.length, width, cellPixels);

  useEffect(() => {
    if (canvas.current !== null && width > 0) draw(canvas.current, cells, grid, chosen);
  }, [cells, width, chosen, palette, cellPixels]);

  const at = (event: MouseEvent): number | undefined => cellAt(grid, cells.length, event.offsetX, event.offsetY);
  const cell = chosen === undefined ? undefined : cells[chosen];
  return (
    <div class="heat-map" ref={holder}>
      <canvas
        ref={canvas}
        tabIndex={0}
        role="img"
        aria-label={`${label}. ${cell?.text ?? `${cells.length} agents; arrow keys name one, Enter opens it`}`}
        style={{ height: `${grid.height}px` }}
        onMouseMove={(event) => setChosen(at(event))}
        onMouseLeave={() => setChosen(undefined)}
        onBlur={() => setChosen(undefined)}
        onClick={(event) => open(cells[at(event) ?? -1])}
        onKeyDown={(event) => {
          if (event.key === "Enter") open(cell);
          const next = moveInGrid(grid, cells.length, chosen, event.key);
          if (next === undefined) return;
          event.preventDefault();
          setChosen(next);
        }}
      />
      {cell !== undefined && chosen !== undefined && (
        <div class="heat-tip" role="status" style={tipPlace(grid, chosen, width)}>
          {cell.text}
        </div>
      )}
    </div>
  );
}

function open(cell: HeatCell | undefined): void {
  if (cell !== undefined) location.hash = cell.href;
}

/** Above its cell, and never out of the map at the sides. */
function tipPlace(grid: Grid, index: number, width: number): Record<string, string> {
  const x = (index % grid.columns) * grid.step;
  const y = Math.floor(index / grid.columns) * grid.step;
  return x < width / 2
    ? { left: `${x}px`, bottom: `${grid.height - y + 4}px` }
    : { right: `${Math.max(0, width - x - grid.step)}px`, bottom: `${grid.height - y + 4}px` };
}

const tokens: Readonly<Record<CellTone, string>> = {
  held: "--good",
  moving: "--moving",
  waiting: "--track",
  stalled: "--warning",
  offline: "--border-strong",
  extra: "--accent",
};

function draw(canvas: HTMLCanvasElement, cells: readonly HeatCell[], grid: Grid, chosen: number | undefined): void {
  const scale = window.devicePixelRatio || 1;
  const width = canvas.clientWidth;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(grid.height * scale);
  const context = canvas.getContext("2d");
  if (context === null) return;
  context.scale(scale, scale);
  const colors = Object.fromEntries(Object.entries(tokens).map(([tone, token]) => [tone, colorOf(token)]));
  const size = grid.step - grid.gap;
  cells.forEach(({ tone, share }, index) => {
    const x = (index % grid.columns) * grid.step;
    const y = Math.floor(index / grid.columns) * grid.step;
    const color = colors[tone] ?? "gray";
    if (tone === "moving") {
      // From below, like water: how full the square is says the same as its shade, for those who see no colours.
      context.globalAlpha = 1;
      fillCell(context, colors["waiting"] ?? "gray", { x, y, width: size, height: size });
      context.globalAlpha = 0.45 + 0.55 * share;
      const level = Math.max(2, Math.round(size * share));
      fillCell(context, color, { x, y: y + size - level, width: size, height: level });
    } else {
      context.globalAlpha = tone === "extra" ? 0.5 : 1;
      fillCell(context, color, { x, y, width: size, height: size });
      if (tone === "offline") strike(context, x, y, size);
    }
    context.globalAlpha = 1;
    if (index !== chosen) return;
    context.strokeStyle = colorOf("--text");
    context.lineWidth = 2;
    context.strokeRect(x - 0.5, y - 0.5, size + 1, size + 1);
  });
}

function fillCell(
  context: CanvasRenderingContext2D,
  color: string,
  cell: { readonly x: number; readonly y: number; readonly width: number; readonly height: number },
): void {
  context.fillStyle = color;
  context.beginPath();
  context.roundRect(cell.x, cell.y, cell.width, cell.height, 2);
  context.fill();
}

/** A line through what is away. */
function strike(context: CanvasRenderingContext2D, x: number, y: number, size: number): void {
  context.strokeStyle = colorOf("--surface");
  context.lineWidth = 1.5;
  context.beginPath();
  context.moveTo(x + 2, y + size - 2);
  context.lineTo(x + size - 2, y + 2);
  context.stroke();
}
