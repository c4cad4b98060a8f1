/** Where a version of a file set stands, in one word and colour. */
import type { FileSetRow } from "../protocol/api/rows.ts";
import type { Tone } from "./components/basics.tsx";

export interface StateWord {
  readonly tone: Tone;
  readonly word: string;
  /** More of it, for those who point at it. */
  readonly title?: string;
}

export function fileSetState(row: FileSetRow): StateWord {
  if (row.paused) return { tone: "quiet", word: "paused", title: "nothing of it is sent until it is resumed" };
  if (row.state === "publishing") return { tone: "moving", word: row.growing ? "growing" : "publishing" };
  if (row.targets === 0) {
    return row.active
      ? { tone: "quiet", word: "no targets", title: `no agent is named by ${row.selector}` }
      : { tone: "quiet", word: "not active", title: "another version is active" };
  }
  if (row.held === row.targets) return { tone: "good", word: "complete" };
  if (row.stalled > 0) return { tone: "warning", word: `${row.stalled} stalled`, title: "agents that cannot go on" };
  if (row.held + row.offline === row.targets) {
    return { tone: "warning", word: `${row.offline} offline`, title: "all that are online hold it" };
  }
  return row.rateBitsPerSecond > 0 ? { tone: "moving", word: "moving" } : { tone: "quiet", word: "waiting" };
}

/** Whether anything of it is still to come. */
export function isUnderWay(row: FileSetRow): boolean {
  return row.state === "publishing" || row.held < row.targets;
}
