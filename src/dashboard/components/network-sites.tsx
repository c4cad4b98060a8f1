/** Sites in the picture of the network: cards with the use of uplink and downlink, or dots where there is no room. */
import type { SiteRow, Usage } from "../../protocol/api/rows.ts";
import { plural, rateText } from "../format.ts";
import { agentsHref } from "../router.ts";
import { cardHeight, cardWidth } from "./network-layout.ts";
import type { NetworkLayout } from "./network-layout.ts";
import { useToneOf } from "./use-tone.ts";

export function SiteNode({ site, layout }: { readonly site: SiteRow; readonly layout: NetworkLayout }) {
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
