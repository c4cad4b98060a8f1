/** A chart over time: lines and areas, drawn on a canvas, in the page's colours, as wide as there is room. */
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { colorOf, paletteVersion } from "../theme.ts";

export interface ChartSeries {
  readonly label: string;
  /** A colour token: `--moving`. */
  readonly color: string;
  readonly dashed?: boolean;
  readonly filled?: boolean;
}

interface ChartProps {
  readonly label: string;
  readonly series: readonly ChartSeries[];
  /** Seconds since 1970, rising, then one row of values for each series; null where there is none. */
  readonly data: readonly (readonly (number | null)[])[];
  readonly formatValue: (value: number) => string;
  /** The top of the scale is at least this. */
  readonly atLeast: number;
  /** And at most this, when it is given. */
  readonly atMost?: number;
  readonly heightPixels?: number;
}

export function Chart(props: ChartProps) {
  const { label, series, data, heightPixels = 200 } = props;
  const holder = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const latest = useRef(props);
  latest.current = props;
  const palette = paletteVersion.value;
  const shape = series.map(({ label: name }) => name).join("|");

  useEffect(() => {
    const element = holder.current;
    if (element === null) return undefined;
    const made = new uPlot(
      optionsOf(latest, element.clientWidth, heightPixels),
      latest.current.data as unknown as uPlot.AlignedData,
      element,
    );
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: heightPixels }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = undefined;
    };
  }, [palette, shape, heightPixels]);

  useEffect(() => {
    plot.current?.setData(data as unknown as uPlot.AlignedData);
  }, [data]);

  return (
    <figure class="chart-figure">
      <figcaption class="chart-legend">
        {series.map(({ label: name, color }) => (
          <span key={name}>
            <i class="swatch" style={{ "--swatch": `var(${color})` }} />
            {name}
          </span>
        ))}
      </figcaption>
      <div class="chart" role="img" aria-label={label} style={{ height: `${heightPixels}px` }} ref={holder} />
    </figure>
  );
}

function optionsOf(props: { readonly current: ChartProps }, width: number, height: number): uPlot.Options {
  const axis = {
    stroke: colorOf("--text-muted"),
    font: "11px Inter, system-ui, sans-serif",
    grid: { stroke: colorOf("--border"), width: 1 },
    ticks: { show: false },
  };
  const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  return {
    width: Math.max(120, width),
    height,
    padding: [10, 24, 0, 0],
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, points: { size: 6 } },
    scales: {
      x: { time: true },
      y: { range: (_plot, _low, high) => [0, top(props.current, high)] },
    },
    axes: [
      {
        ...axis,
        size: 26,
        space: 90,
        values: (_plot, seconds) => seconds.map((second) => clock.format(second * 1000)),
      },
      {
        ...axis,
        size: 66,
        space: 36,
        values: (_plot, values) => values.map((value) => props.current.formatValue(value)),
      },
    ],
    series: [{}, ...props.current.series.map(seriesOptions)],
  };
}

function seriesOptions({ label, color, dashed = false, filled = false }: ChartSeries): uPlot.Series {
  const stroke = colorOf(color);
  return {
    label,
    stroke,
    width: 2,
    spanGaps: true,
    points: { show: false },
    ...(dashed ? { dash: [6, 5] } : {}),
    ...(filled ? { fill: faint(stroke) } : {}),
  };
}

/** The colour at an eighth of its strength. */
function faint(color: string): string {
  return color.startsWith("rgb(") ? color.replace("rgb(", "rgba(").replace(")", ", 0.13)") : "transparent";
}

function top({ atLeast, atMost }: ChartProps, highest: number | null): number {
  const wanted = Math.max(atLeast, (highest ?? 0) * 1.08);
  return atMost === undefined ? wanted : Math.min(atMost, wanted);
}
