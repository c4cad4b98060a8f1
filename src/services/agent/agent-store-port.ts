/** What the agent's program asks of its store: platform/agent-store has the real one, tests a small one in memory. */
import type { AgentStore } from "../../platform/agent-store/agent-store.ts";

export type AgentStorePort = Omit<AgentStore, "verifyAll">;
