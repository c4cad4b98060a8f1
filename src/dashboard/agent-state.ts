/** An agent's state as a word and a colour. */
import type { AgentRow } from "../protocol/api/rows.ts";
import type { StateWord } from "./file-set-state.ts";

const words: Readonly<Record<AgentRow["state"], StateWord>> = {
  blocked: { tone: "bad", word: "blocked", title: "an operator has blocked it: it gets and gives nothing" },
  offline: { tone: "bad", word: "offline", title: "it is not connected" },
  stalled: { tone: "warning", word: "stalled", title: "it cannot go on: see the problem with its file sets" },
  fetching: { tone: "moving", word: "fetching" },
  drained: { tone: "quiet", word: "drained", title: "an operator has drained it: no others fetch from it" },
  idle: { tone: "good", word: "in place", title: "it holds all that it should" },
};

export function agentState(row: AgentRow): StateWord {
  if (row.outOfUse && row.state !== "blocked" && row.state !== "offline") {
    return {
      tone: "bad",
      word: "out of use",
      title: "nobody fetches from it after failures; it is tried again by itself",
    };
  }
  return words[row.state];
}

const statusWords: Readonly<Record<string, StateWord>> = {
  held: { tone: "good", word: "held" },
  stalled: { tone: "warning", word: "stalled" },
  unknown: { tone: "quiet", word: "not heard of" },
};

/** Where an agent stands with one file set. */
export function statusWord(status: string): StateWord {
  return statusWords[status] ?? { tone: "moving", word: status };
}
