/** Gathers what one event brings about: rows to make durable, then commands, in order. */
import type { ControllerMessage } from "../../protocol/controller-messages.ts";
import type { ControllerToPublisher } from "../../protocol/publisher-messages.ts";
import type { StoreChange } from "../store-port.ts";
import type { ControllerCommand, ControllerOutput, OperatorReply, NoteFields } from "./controller-events.ts";

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

  /** @param fields what the line is about */
  note(level: "info" | "warn" | "error", text: string, fields?: NoteFields): void {
    this.#commands.push({ type: "note", level, text, ...(fields === undefined ? {} : { fields }) });
  }

  /** Everything since the last call. */
  take(wakeAtNanoseconds: number | undefined): ControllerOutput {
    const output = { changes: this.#changes, commands: this.#commands, wakeAtNanoseconds };
    this.#changes = [];
    this.#commands = [];
    return output;
  }
}
