/**
 * Reads blocks that the controller challenges (claims 18, 27) and hands their bytes on in chunks, no faster than the
 * controller allows. One at a time, so that challenges cost little memory.
 */
import { setTimeout as pause } from "node:timers/promises";
import type { AgentCommand, AgentEvent } from "../../control/agent/agent-events.ts";
import type { Manifest } from "../../model/manifest.ts";
import type { FileSetKey } from "../../protocol/parts.ts";
import { nanosecondsPerMillisecond, transmissionNanoseconds } from "../../std/units.ts";
import type { AgentStorePort } from "./agent-store-port.ts";
import { challengeChunkBytes } from "./limits.ts";
import { SerialWork } from "./serial-work.ts";

export type ReadChallenge = Extract<AgentCommand, { type: "readChallenge" }>;

const noBytes = new Uint8Array(0);

export class ChallengeReader {
  readonly #store: AgentStorePort;
  readonly #manifest: (fileSet: FileSetKey) => Manifest | undefined;
  readonly #submit: (event: AgentEvent) => void;
  readonly #work = new SerialWork();
  #isStopped = false;

  constructor(
    store: AgentStorePort,
    manifest: (fileSet: FileSetKey) => Manifest | undefined,
    submit: (event: AgentEvent) => void,
  ) {
    this.#store = store;
    this.#manifest = manifest;
    this.#submit = submit;
  }

  read(command: ReadChallenge): void {
    this.#work.run(["challenges"], async () => {
      if (!this.#isStopped) await this.#read(command);
    });
  }

  stop(): void {
    this.#isStopped = true;
  }

  /** Never rejects. */
  async #read({ challengeId, fileSet, block, rateBitsPerSecond }: ReadChallenge): Promise<void> {
    const answer = (bytes: Uint8Array, end: "whole" | "absent" | "unreadable" | undefined): void => {
      this.#submit({ type: "challengeRead", challengeId, bytes, end });
    };
    const manifest = this.#manifest(fileSet);
    if (manifest === undefined || block >= manifest.blockCount) {
      answer(noBytes, "absent");
      return;
    }
    const bytes = new Uint8Array(new SharedArrayBuffer(manifest.blockLengthBytes(block)));
    try {
      if ((await this.#store.readBlocks(fileSet, block, block + 1, bytes)) !== "read") {
        answer(noBytes, "absent");
        return;
      }
    } catch {
      answer(noBytes, "unreadable");
      return;
    }
    for (let start = 0; start < bytes.length && !this.#isStopped; start += challengeChunkBytes) {
      const end = Math.min(start + challengeChunkBytes, bytes.length);
      answer(bytes.slice(start, end), end === bytes.length ? "whole" : undefined);
      if (end === bytes.length || rateBitsPerSecond === 0) continue;
      const nanoseconds = transmissionNanoseconds(end - start, rateBitsPerSecond);
      await pause(Math.ceil(nanoseconds / nanosecondsPerMillisecond));
    }
  }
}
