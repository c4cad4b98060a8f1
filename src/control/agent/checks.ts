/**
 * What the controller has checked through this agent: probes of suspected components (rule 10), and challenges, in which
 * this agent's own blocks are read and sent for the controller to verify (claims 18, 27).
 */
import { toBase64 } from "../../std/base64.ts";
import type { Challenge, Probe } from "../../protocol/controller-messages.ts";
import type { ChallengeData } from "../../protocol/agent-messages.ts";
import type { FailureKind } from "../../protocol/parts.ts";
import { messagePayloadBytes } from "../../protocol/limits.ts";
import type { AgentContext } from "./context.ts";
import { maximumChallenges, maximumProbes, probeStallTimes } from "./limits.ts";

export class Checks {
  readonly #context: AgentContext;
  readonly #probes = new Set<number>();
  readonly #challenges = new Set<number>();

  constructor(context: AgentContext) {
    this.#context = context;
  }

  probe(message: Probe): void {
    if (this.#probes.has(message.probeId)) return;
    if (this.#probes.size >= maximumProbes) {
      this.#context.note("warn", `probe ${String(message.probeId)} is not made: too many at once`);
      return;
    }
    this.#probes.add(message.probeId);
    const { probeId, lane, ticket, fileSet, block, lengthBytes, checksum } = message;
    const timeoutNanoseconds = probeStallTimes * this.#context.settings.stallNanoseconds;
    this.#context.order({
      type: "probe",
      probeId,
      lane,
      ticket,
      fileSet,
      block,
      lengthBytes,
      checksum,
      timeoutNanoseconds,
    });
  }

  probed(probeId: number, failure: FailureKind | undefined): void {
    if (!this.#probes.delete(probeId)) return;
    this.#context.order({
      type: "send",
      message:
        failure === undefined
          ? { type: "probeResult", probeId, outcome: "good" }
          : { type: "probeResult", probeId, outcome: "failed", kind: failure },
    });
  }

  /** @param isHeld whether this agent holds the block at all */
  challenge(message: Challenge, isHeld: boolean): void {
    const { challengeId, fileSet, block, rateBitsPerSecond } = message;
    if (!isHeld) {
      this.#send({ type: "challengeData", challengeId, bytes: "", end: "absent" });
    } else if (this.#challenges.size >= maximumChallenges) {
      this.#context.note("warn", `challenge ${String(challengeId)} is not answered: too many at once`);
    } else if (!this.#challenges.has(challengeId)) {
      this.#challenges.add(challengeId);
      this.#context.order({ type: "readChallenge", challengeId, fileSet, block, rateBitsPerSecond });
    }
  }

  challengeRead(challengeId: number, bytes: Uint8Array, end: ChallengeData["end"]): void {
    if (!this.#challenges.has(challengeId)) return;
    for (let start = 0; start < bytes.length; start += messagePayloadBytes) {
      const piece = bytes.subarray(start, start + messagePayloadBytes);
      const isLast = start + piece.length >= bytes.length;
      this.#send({
        type: "challengeData",
        challengeId,
        bytes: toBase64(piece),
        ...(isLast && end !== undefined ? { end } : {}),
      });
    }
    if (end === undefined) return;
    if (bytes.length === 0) this.#send({ type: "challengeData", challengeId, bytes: "", end });
    this.#challenges.delete(challengeId);
  }

  /** The channel is down: answers would reach nobody. */
  forget(): void {
    this.#probes.clear();
    this.#challenges.clear();
  }

  #send(message: ChallengeData): void {
    this.#context.order({ type: "send", message });
  }
}
