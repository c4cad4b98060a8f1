/** What is typed to find agents: a selector as `publish --to` takes it, or a part of a name or site. */
import { matchesSelector, parseSelector, type Selector } from "../model/selector.ts";
import type { AgentRow } from "../protocol/api/rows.ts";

export interface AgentFilter {
  readonly accepts: (row: AgentRow) => boolean;
  /** What is wrong with the selector; then all agents are shown. */
  readonly problem?: string;
}

export function agentFilter(text: string): AgentFilter {
  const wanted = text.trim();
  if (wanted === "") return { accepts: () => true };
  if (/^[\w.-]+$/.test(wanted) && wanted !== "all") {
    const part = wanted.toLowerCase();
    return { accepts: ({ agent, site }) => agent.toLowerCase().includes(part) || site.toLowerCase().includes(part) };
  }
  let selector: Selector;
  try {
    selector = parseSelector(wanted);
  } catch (error) {
    return { accepts: () => true, problem: error instanceof Error ? error.message : String(error) };
  }
  return { accepts: ({ agent, site, labels }) => matchesSelector(selector, { name: agent, site, labels }) };
}
