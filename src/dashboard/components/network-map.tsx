/** The network: sites, and between them what flows now against what may flow. */
import { useMemo } from "preact/hooks";
import type { SiteLinkRow, SiteRow, Usage } from "../../protocol/api/rows.ts";
import { percentText, plural, rateText } from "../format.ts";
import { agentsHref } from "../router.ts";
import { useWidth } from "./use-width.ts";
import { useToneOf } from "./use-tone.ts";
import { cardHeight, cardWidth, freePlace, layOut, lineBetween } from "./network-layout.ts";
import type { Box, NetworkLayout } from "./network-layout.ts";

/** More lines than this say nothing: the busiest are drawn. */
const maximumLines = 120;
/** With more lines than this, figures stand beside the busiest only. */
const maximumFigures = 12;
/** Where there is no room for cards, there is little for figures. */
const maximumFiguresBetweenDots = 4;

export function NetworkMap({
  sites,
  links,
}: {
  readonly sites: readonly SiteRow[];
  readonly links: readonly SiteLinkRow[];
}) {
  const { width, holder } = useWidth<HTMLDivElement>();
  const names = sites.map(({ site }) => site).join("\n");
  const layout = useMemo(() => layOut(names.split("\n"), width), [names, width]);
  const busiest = useMemo(
    () => links.toSorted((a, b) => b.measuredBitsPerSecond - a.measuredBitsPerSecond).slice(0, maximumLines),
    [links],
  );
  return (
    <div class="network" ref={holder}>
      {width > 0 && (
        <svg width={layout.width} height={layout.height} role="group" aria-label="Sites and what flows between them">
          <defs>
            {["quiet", "moving", "warning", "bad"].map((tone) => (
              <marker id={`arrow-${tone}`} key={tone} class={`arrow arrow-${tone}`} {...arrow}>
                <path d="M1 1L7 4L1 7Z" />
              </marker>
            ))}
          </defs>
          {busiest.toReversed().map((link) => (
            <LinkLine key={link.link} link={link} layout={layout} />
          ))}
          {sites.map((site) => (
            <SiteNode key={site.site} site={site} layout={layout} />
          ))}
          <LinkFigures
            links={busiest.slice(0, layout.cards ? maximumFigures : maximumFiguresBetweenDots)}
            layout={layout}
          />
        </svg>
      )}
    </div>
  );
}

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

/** What flows, beside the busiest lines. A figure keeps its place while the same lines have one. */
function LinkFigures({ links, layout }: { readonly links: readonly SiteLinkRow[]; readonly layout: NetworkLayout }) {
  const { x, y } = clearanceOf(layout);
  const taken: Box[] = [...layout.places.values()].map((place) => ({ ...place, width: 2 * x, height: 2 * y }));
  const shown = links.filter(({ measuredBitsPerSecond }) => measuredBitsPerSecond > 0);
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

function SiteNode({ site, layout }: { readonly site: SiteRow; readonly layout: NetworkLayout }) {
  const place = layout.places.get(site.site);
  if (place === undefined) return null;
  const away = site.agentsKnown - site.agentsOnline;
  const title = `${site.site}: ${site.agentsOnline} of ${plural(site.agentsKnown, "agent")} online; out ${usageText(site.uplink)}; in ${usageText(site.downlink)}; within ${rateText(site.withinBitsPerSecond)}`;
  const href = agentsHref(`site=${site.site}`);
  const tone = site.outOfUse ? "bad" : away === site.agentsKnown ? "off" : away > 0 ? "warning" : "good";
  return (
    <a href={href} class={`site site-${tone}`} aria-label={title}>
      <title>{title}</title>
      {layout.cards ? (
        <SiteCard site={site} x={place.x - cardWidth / 2} y={place.y - cardHeight / 2} />
      ) : (
        <SiteDot site={site} {...place} layout={layout} />
      )}
    </a>
  );
}

function usageText({ measuredBitsPerSecond, capabilityBitsPerSecond }: Usage): string {
  if (capabilityBitsPerSecond === null) return rateText(measuredBitsPerSecond);
  return `${rateText(measuredBitsPerSecond)} of ${rateText(capabilityBitsPerSecond)}`;
}

function SiteCard({ site, x, y }: { readonly site: SiteRow; readonly x: number; readonly y: number }) {
  const name = site.site.length > 12 ? `${site.site.slice(0, 11)}…` : site.site;
  return (
    <g transform={`translate(${x} ${y})`}>
      <rect class="site-card" width={cardWidth} height={cardHeight} rx={9} />
      <circle class="site-lamp" cx={15} cy={18} r={4} />
      <text class="site-name" x={26} y={22.5}>
        {name}
      </text>
      <text class="site-count" x={cardWidth - 12} y={22.5}>
        {site.agentsOnline === site.agentsKnown ? site.agentsKnown : `${site.agentsOnline}/${site.agentsKnown}`}
      </text>
      <UsageBar usage={site.uplink} sign="↑" y={42} />
      <UsageBar usage={site.downlink} sign="↓" y={60} />
    </g>
  );
}

const barLeft = 28;
const barWidth = 58;

function UsageBar({ usage, sign, y }: { readonly usage: Usage; readonly sign: string; readonly y: number }) {
  const {
    measuredBitsPerSecond: measured,
    allocatedBitsPerSecond: allocated,
    capabilityBitsPerSecond: capability,
  } = usage;
  const limited = capability !== null && capability > 0;
  const share = limited ? Math.min(1, measured / capability) : 0;
  const promised = limited ? Math.min(1, allocated / capability) : 0;
  return (
    <g class={`usage usage-${useToneOf(usage)}`}>
      <text class="usage-sign" x={12} y={y + 4}>
        {sign}
      </text>
      {limited && (
        <>
          <rect class="usage-track" x={barLeft} y={y - 3} width={barWidth} height={6} rx={3} />
          <rect class="usage-promised" x={barLeft} y={y - 3} width={barWidth * promised} height={6} rx={3} />
          <rect class="usage-fill" x={barLeft} y={y - 3} width={barWidth * share} height={6} rx={3} />
        </>
      )}
      {!limited && (
        <text class="usage-none" x={barLeft} y={y + 4}>
          no limit
        </text>
      )}
      <text class="usage-rate" x={cardWidth - 10} y={y + 4}>
        {measured > 0 ? rateText(measured) : "0"}
      </text>
    </g>
  );
}

function SiteDot(props: {
  readonly site: SiteRow;
  readonly x: number;
  readonly y: number;
  readonly layout: NetworkLayout;
}) {
  const { site, x, y, layout } = props;
  const use = useToneOf(site.uplink) === "quiet" ? useToneOf(site.downlink) : useToneOf(site.uplink);
  const below = y >= layout.height / 2;
  return (
    <g>
      <circle class={`site-dot usage-${use}`} cx={x} cy={y} r={11} />
      <circle class="site-lamp" cx={x} cy={y} r={4.5} />
      <text class="site-dot-name" x={x} y={below ? y + 26 : y - 18}>
        {site.site.length > 12 ? `${site.site.slice(0, 11)}…` : site.site}
      </text>
    </g>
  );
}
