/** The network: sites, and between them what flows now against what may flow. */
import { useMemo } from "preact/hooks";
import type { SiteLinkRow, SiteRow } from "../../protocol/api/rows.ts";
import { layOut } from "./network-layout.ts";
import { LinkFigures, LinkLines } from "./network-links.tsx";
import { SiteNode } from "./network-sites.tsx";
import { useWidth } from "./use-width.ts";

/** More lines than this say nothing: the busiest are drawn. */
const maximumLines = 120;

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
          <LinkLines links={busiest} layout={layout} />
          {sites.map((site) => (
            <SiteNode key={site.site} site={site} layout={layout} />
          ))}
          <LinkFigures links={busiest} layout={layout} />
        </svg>
      )}
    </div>
  );
}
