/** Gathers what one event brings about: rows to make durable, then commands, in order. */
import type { ControllerMessage } from "../../protocol/controller-messages.ts";
import type { ControllerToPublisher } from "../../protocol/publisher-messages.ts";
import type { StoreChange } from "../store-port.ts";
import type { ControllerCommand, ControllerOutput, OperatorReply } from "./controller-events.ts";

export class OutputBuilder {
  #changes: StoreChange[] = [];
  #commands: ControllerCommand[] = [];

  store(change: StoreChange): void {
    this.#changes.push(change);
  }

  sendAgent(connectionId: number | undefined, message: ControllerMessage): void {
    if (connectionId !== undefined) this.#commands.push({ type: "sendAgent", connectionId, message });
  }

  sendPublisher(connectionId: number | undefined, message: ControllerToPublisher): void {
    if (connectionId !== undefined) this.#commands.push({ type: "sendPublisher", connectionId, message });
  }

  close(connectionId: number): void {
    this.#commands.push({ type: "close", connectionId });
  }

  reply(requestId: number, reply: OperatorReply): void {
    this.#commands.push({ type: "reply", requestId, reply });
  }

  note(level: "info" | "warn" | "error", text: string): void {
    this.#commands.push({ type: "note", level, text });
  }

  /** Everything since the last call. */
  take(wakeAtNanoseconds: number | undefined): ControllerOutput {
    const output = { changes: this.#changes, commands: this.#commands, wakeAtNanoseconds };
    this.#changes = [];
    this.#commands = [];
    return output;
  }
}
