/** How an agent stands, for people and tests to see. */
import type { FileSetKey } from "../../protocol/parts.ts";

/** offline: no channel. greeting: hello is said. welcomed: the controller speaks, and is told. */
export type Connection = "offline" | "greeting" | "welcomed";

/** How an agent stands, for a person to see. */
export interface AgentCoreView {
  readonly connection: Connection;
  readonly term: number;
  readonly lanes: number;
  readonly fileSets: readonly {
    readonly fileSet: FileSetKey;
    readonly status: string;
    readonly heldBlocks: number;
    /** undefined: the manifest is not there yet. */
    readonly blocks: number | undefined;
    readonly problem?: string;
  }[];
}
