/** The tools that can race, by name. */
import { nearestSpelling } from "#src/std/nearest.ts";
import { UserError } from "#src/std/errors.ts";
import { aria2Tool } from "./aria2.ts";
import { libtorrentTool } from "./libtorrent.ts";
import { rsyncTool } from "./rsync.ts";
import { sluiceTool } from "./sluice.ts";
import type { RaceTool } from "./tool.ts";
import { transmissionTool } from "./transmission.ts";
import { uftpTool } from "./uftp.ts";

export const raceTools: readonly RaceTool[] = [
  sluiceTool,
  aria2Tool,
  libtorrentTool,
  transmissionTool,
  rsyncTool,
  uftpTool,
];

/** @param list names with commas between them; undefined: all @throws UserError for a name that is none */
export function toolsNamed(list: string | undefined): RaceTool[] {
  if (list === undefined) return [...raceTools];
  const names = [...new Set(list.split(",").map((name) => name.trim()))];
  return names.map((name) => {
    const found = raceTools.find((tool) => tool.name === name);
    if (found !== undefined) return found;
    const known = raceTools.map((tool) => tool.name);
    const nearest = nearestSpelling(name, known);
    throw new UserError(`there is no tool ${JSON.stringify(name)}`, {
      hint: nearest === undefined ? `there are ${known.join(", ")}` : `did you mean ${nearest}?`,
    });
  });
}
