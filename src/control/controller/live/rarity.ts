/** How rare the blocks of a file set are: how many blocks are with how many agents, and which the rarest ones are. */
import type { RarityRow } from "../../../protocol/api/rows.ts";
import type { FileSet } from "../state.ts";

/** Rows at most; the last one then stands for so many holders and more. */
const maximumRows = 32;
/** Stretches of blocks that are named as examples in a row. */
const examplesPerRow = 5;
/** Rows, the rarest first, that name examples. */
const rowsWithExamples = 3;

interface Stretch {
  readonly first: number;
  last: number;
}

/** Rarest first. What is coming to an agent counts; what only a publisher has does not. */
export function rarityRows({ content, manifest }: FileSet): RarityRow[] {
  const blocks = new Map<number, number>();
  const stretches = new Map<number, Stretch[]>();
  // Their copies count for no decision, but they are copies.
  const origins = content.origins.map((origin) => content.find(origin)?.held);
  for (let block = 0; block < content.blockCount; block += 1) {
    if (content.duplicates.has(block)) continue;
    const holders = origins.reduce((sum, held) => sum + (held?.has(block) === true ? 1 : 0), content.presence(block));
    blocks.set(holders, (blocks.get(holders) ?? 0) + 1);
    noteStretch(stretches, holders, block);
  }
  const counts = [...blocks.keys()].sort((one, other) => one - other);
  const rows = counts.slice(0, maximumRows).map((holders, index) => ({
    holders,
    blocks: blocks.get(holders) ?? 0,
    examples:
      index >= rowsWithExamples
        ? []
        : (stretches.get(holders) ?? []).map(({ first, last }) => ({
            firstBlock: first,
            lastBlock: last,
            path: manifest.files[manifest.blockFile(first)]?.path ?? "",
          })),
  }));
  const last = rows.at(-1);
  if (last !== undefined) for (const holders of counts.slice(maximumRows)) last.blocks += blocks.get(holders) ?? 0;
  return rows;
}

function noteStretch(stretches: Map<number, Stretch[]>, holders: number, block: number): void {
  const known = stretches.get(holders);
  if (known === undefined) {
    stretches.set(holders, [{ first: block, last: block }]);
    return;
  }
  const last = known.at(-1);
  if (last !== undefined && last.last === block - 1) last.last = block;
  else if (known.length < examplesPerRow) known.push({ first: block, last: block });
}
