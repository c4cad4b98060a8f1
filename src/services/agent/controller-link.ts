/**
 * The agent's road to its controller: the channel, told to the state machine as events, and what it says about the
 * channel. A controller that is not there, or refuses, is tried again with a growing pause; that is said once, and once
 * more when it answers.
 */
import type { AgentEvent } from "../../control/agent/agent-events.ts";
import type { Channel } from "../../platform/channel.ts";
import { openChannel } from "../../platform/channel.ts";
import type { Logger } from "../../platform/log.ts";
import { retryPauseMilliseconds } from "../../platform/retry-pause.ts";
import type { AgentMessage } from "../../protocol/agent-messages.ts";
import type { ControllerMessage } from "../../protocol/controller-messages.ts";
import { controllerMessageSchema } from "../../protocol/controller-messages.ts";
import { UserError } from "../../std/errors.ts";

/** Path of the agents' channel at the controller. */
const agentChannelPath = "/v1/agent-channel";

export interface ControllerLinkOptions {
  readonly url: string;
  readonly submit: (event: AgentEvent, onHandled?: () => void) => void;
  /** The controller will never have this agent as it is: the program ends. */
  readonly onRefused: (error: UserError) => void;
  readonly logger: Logger;
}

export class ControllerLink {
  readonly #options: ControllerLinkOptions;
  readonly #channel: Channel<AgentMessage>;
  /** What was said last of a controller that is not there or refuses; undefined: all is well. */
  #complaint: string | undefined;
  #refusals = 0;

  /** Starts to dial. @throws UserError when the URL cannot be one of a controller */
  constructor(options: ControllerLinkOptions) {
    this.#options = options;
    const { url, submit } = options;
    this.#channel = openChannel<ControllerMessage, AgentMessage>({
      url,
      path: agentChannelPath,
      incoming: controllerMessageSchema,
      onOpen: () => submit({ type: "connected" }),
      onMessage: (message) => this.#heard(message),
      onClosed: (reason) => {
        this.#complain(`the controller at ${url} is lost (${reason})`);
        submit({ type: "disconnected" });
      },
      onUnreachable: ({ reason }) => this.#complain(`the controller at ${url} cannot be reached (${reason})`),
    });
  }

  send(message: AgentMessage): void {
    try {
      this.#channel.send(message);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.#options.logger.error(`a message to the controller is not sent: ${error.message}`);
    }
  }

  /** Ends the connection because of what the controller said. */
  disconnect(reason: string, isRetried: boolean): void {
    if (!isRetried) {
      this.#options.onRefused(new UserError(reason));
      return;
    }
    const pause = retryPauseMilliseconds(this.#refusals + 1, Math.random);
    this.#refusals += 1;
    this.#complain(reason);
    this.#channel.restart(reason, pause);
  }

  setPaused(isPaused: boolean): void {
    this.#channel.setPaused(isPaused);
  }

  async close(): Promise<void> {
    await this.#channel.close();
  }

  #heard(message: ControllerMessage): void {
    this.#options.submit({ type: "message", message });
    if (message.type !== "welcome") return;
    this.#refusals = 0;
    this.#complaint = undefined;
    this.#options.logger.info({ controller: this.#options.url, term: message.term }, "welcomed by the controller");
  }

  #complain(text: string): void {
    if (this.#complaint === undefined) this.#options.logger.warn(`${text}: trying again until it answers`);
    this.#complaint ??= text;
  }
}
