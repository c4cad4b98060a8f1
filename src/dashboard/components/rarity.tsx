/** How many copies there are of how many blocks, the rarest first: what everybody waits for, or would be lost with a host. */
import type { RarityRow } from "../../protocol/api/rows.ts";
import { countText, plural } from "../format.ts";
import { Message } from "./basics.tsx";

/** Bars at most: the commonest blocks are of no interest. */
const maximumBars = 8;

export function Rarity({ rows }: { readonly rows: readonly RarityRow[] }) {
  if (rows.length === 0) return <Message title="It has no blocks yet" />;
  const shown = rows.slice(0, maximumBars);
  const most = Math.max(...shown.map(({ blocks }) => blocks));
  return (
    <ul class="rarity">
      {shown.map(({ holders, blocks, examples }) => (
        <li key={holders}>
          <div class="rarity-row">
            <span class={holders === 0 ? "warning" : ""}>
              {holders === 0 ? "no copy" : plural(holders, "copy", "copies")}
            </span>
            <span class="rarity-bar" aria-hidden="true">
              <i style={{ width: `${Math.max(1, (100 * blocks) / most)}%` }} />
            </span>
            <span class="number">{plural(blocks, "block")}</span>
          </div>
          {examples.length > 0 && (
            <ul class="rarity-examples">
              {examples.map(({ firstBlock, lastBlock, path }) => (
                <li key={firstBlock} class="cut mono faint" title={path}>
                  {firstBlock === lastBlock
                    ? countText(firstBlock)
                    : `${countText(firstBlock)}–${countText(lastBlock)}`}{" "}
                  {path}
                </li>
              ))}
            </ul>
          )}
        </li>
      ))}
      {rows.length > shown.length && <li class="faint small">and more that have more copies</li>}
    </ul>
  );
}
