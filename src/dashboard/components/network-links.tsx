/** Lines between sites, filled as far as they are used, with arrows that say which way; and figures beside the busiest. */
import type { SiteLinkRow } from "../../protocol/api/rows.ts";
import { percentText, plural, rateText } from "../format.ts";
import { cardHeight, cardWidth, freePlace, lineBetween } from "./network-layout.ts";
import type { Box, NetworkLayout } from "./network-layout.ts";
import { useToneOf } from "./use-tone.ts";

/** With more lines than this, figures stand beside the busiest only. */
const maximumFigures = 12;
/** Where there is no room for cards, there is little for figures. */
const maximumFiguresBetweenDots = 4;

const dotClearance = { x: 15, y: 15 };
const cardClearance = { x: cardWidth / 2 + 5, y: cardHeight / 2 + 5 };

const arrow = {
  viewBox: "0 0 8 8",
  refX: 6,
  refY: 4,
  markerWidth: 9,
  markerHeight: 9,
  markerUnits: "userSpaceOnUse",
  orient: "auto",
} as const;

const figureHeight = 18;
const figureWidth = 74;

function clearanceOf({ cards }: NetworkLayout) {
  return cards ? cardClearance : dotClearance;
}

/** What flows, beside the busiest of these lines. A figure keeps its place while the same lines have one. */
export function LinkFigures({
  links,
  layout,
}: {
  readonly links: readonly SiteLinkRow[];
  readonly layout: NetworkLayout;
}) {
  const { x, y } = clearanceOf(layout);
  const most = layout.cards ? maximumFigures : maximumFiguresBetweenDots;
  const taken: Box[] = [...layout.places.values()].map((place) => ({ ...place, width: 2 * x, height: 2 * y }));
  const shown = links.slice(0, most).filter(({ measuredBitsPerSecond }) => measuredBitsPerSecond > 0);
  return (
    <>
      {shown
        .toSorted((one, other) => (one.link < other.link ? -1 : 1))
        .map((link) => {
          const from = layout.places.get(link.from);
          const to = layout.places.get(link.to);
          if (from === undefined || to === undefined) return null;
          const text = rateText(link.measuredBitsPerSecond);
          // As wide as any rate may be: a figure that changes does not push others away.
          const size = { width: figureWidth, height: figureHeight };
          const place = freePlace(lineBetween(from, to, clearanceOf(layout)).labels, size, taken);
          taken.push({ ...place, ...size });
          return (
            <g class="link-figure" aria-hidden="true" key={link.link}>
              <rect
                x={place.x - figureWidth / 2}
                y={place.y - figureHeight / 2}
                width={figureWidth}
                height={figureHeight}
                rx={9}
              />
              <text x={place.x} y={place.y + 4}>
                {text}
              </text>
            </g>
          );
        })}
    </>
  );
}

/** The lines, the busiest above the others. */
export function LinkLines({
  links,
  layout,
}: {
  readonly links: readonly SiteLinkRow[];
  readonly layout: NetworkLayout;
}) {
  return (
    <>
      <defs>
        {["quiet", "moving", "warning", "bad"].map((tone) => (
          <marker id={`arrow-${tone}`} key={tone} class={`arrow arrow-${tone}`} {...arrow}>
            <path d="M1 1L7 4L1 7Z" />
          </marker>
        ))}
      </defs>
      {links.toReversed().map((link) => (
        <LinkLine key={link.link} link={link} layout={layout} />
      ))}
    </>
  );
}

/** The line of a link. */
function LinkLine({ link, layout }: { readonly link: SiteLinkRow; readonly layout: NetworkLayout }) {
  const from = layout.places.get(link.from);
  const to = layout.places.get(link.to);
  if (from === undefined || to === undefined) return null;
  const { path } = lineBetween(from, to, clearanceOf(layout));
  const measured = link.measuredBitsPerSecond;
  const tone = link.outOfUse ? "bad" : useToneOf(link);
  const bedPixels = thickness(link.capabilityBitsPerSecond ?? measured);
  // The line fills its bed as the traffic fills the capability.
  const share = link.capabilityBitsPerSecond === null ? 0.6 : measured / link.capabilityBitsPerSecond;
  const flowPixels = Math.max(1.5, Math.round(bedPixels * Math.min(1, share) * 2) / 2);
  return (
    <g class={`link-line link-${tone}`}>
      <title>{linkText(link)}</title>
      <path class="link-bed" d={path} style={{ strokeWidth: `${bedPixels}px` }} />
      {measured > 0 && (
        <path
          class="link-flow"
          d={path}
          marker-end={`url(#arrow-${tone})`}
          style={{ strokeWidth: `${flowPixels}px`, animationDuration: `${flowSeconds(link)}s` }}
        />
      )}
    </g>
  );
}

function linkText(link: SiteLinkRow): string {
  const {
    from,
    to,
    measuredBitsPerSecond: measured,
    allocatedBitsPerSecond: allocated,
    capabilityBitsPerSecond,
  } = link;
  const limit =
    capabilityBitsPerSecond === null
      ? "no limit"
      : `of ${rateText(capabilityBitsPerSecond)} (${percentText(measured, capabilityBitsPerSecond)})`;
  const through = link.through.length === 0 ? "" : `, through ${link.through.join(", ")}`;
  return `${from} to ${to}: ${rateText(measured)} ${limit}, ${rateText(allocated)} allocated, ${plural(link.lanes, "lane")}${through}`;
}

/** Ten times the rate is about two pixels more. */
function thickness(bitsPerSecond: number): number {
  return Math.min(14, Math.max(4, 4 + 2.2 * (Math.log10(Math.max(1, bitsPerSecond)) - 6)));
}

/** What is close to its limit flows faster. In few steps: a running animation is not restarted by each small change. */
function flowSeconds({ measuredBitsPerSecond, capabilityBitsPerSecond }: SiteLinkRow): number {
  const share = capabilityBitsPerSecond === null ? 0.5 : measuredBitsPerSecond / capabilityBitsPerSecond;
  return share > 0.66 ? 0.7 : share > 0.33 ? 1.1 : 1.8;
}
