/**
 * A control channel of the virtual world: messages arrive in order, a set delay after they were sent, and what is under
 * way when it breaks is lost.
 */
import { phases, type Phase, type VirtualClock } from "./virtual-clock.ts";

/** The end that dials. */
export interface ChannelClient<Down> {
  opened(): void;
  message(message: Down): void;
  /** It could not be opened, or is open no more. */
  closed(): void;
}

/** The end that is dialled. */
export interface ChannelServer<Up> {
  /** Undefined: nobody listens. */
  accept(channel: ServerEnd): number | undefined;
  message(connectionId: number, message: Up): void;
  closed(connectionId: number): void;
}

/** What the server can do with a channel. */
export interface ServerEnd {
  send(message: unknown): void;
  close(): void;
}

export class VirtualChannel<Up, Down> {
  readonly #clock: VirtualClock;
  readonly #delayNanoseconds: number;
  readonly #client: ChannelClient<Down>;
  readonly #server: ChannelServer<Up>;
  readonly #clientPhase: Phase;
  #connectionId: number | undefined;
  #clientWants = true;
  #clientOpen = false;
  #serverOpen = false;

  /** Dials at once. */
  constructor(
    clock: VirtualClock,
    delayNanoseconds: number,
    client: ChannelClient<Down>,
    server: ChannelServer<Up>,
    clientPhase: Phase = phases.agent,
  ) {
    this.#clock = clock;
    this.#delayNanoseconds = delayNanoseconds;
    this.#client = client;
    this.#server = server;
    this.#clientPhase = clientPhase;
    this.#atServer(() => {
      if (!this.#clientWants) return;
      this.#connectionId = server.accept({
        send: (message) => this.#send(message as Down),
        close: () => this.#serverCloses(),
      });
      this.#serverOpen = this.#connectionId !== undefined;
      this.#atClient(() => {
        if (!this.#clientWants) return;
        this.#clientOpen = this.#serverOpen;
        if (this.#clientOpen) this.#client.opened();
        else this.#clientLoses();
      });
    });
  }

  get isOpen(): boolean {
    return this.#clientOpen;
  }

  /** The client says something. */
  send(message: Up): void {
    if (!this.#clientOpen) return;
    this.#atServer(() => {
      if (this.#serverOpen && this.#connectionId !== undefined) this.#server.message(this.#connectionId, message);
    });
  }

  /** The client ends it, or dies; it hears nothing more of it. */
  close(): void {
    if (!this.#clientWants) return;
    this.#clientWants = false;
    this.#clientOpen = false;
    this.#atServer(() => {
      if (!this.#serverOpen || this.#connectionId === undefined) return;
      this.#serverOpen = false;
      this.#server.closed(this.#connectionId);
    });
  }

  #send(message: Down): void {
    if (!this.#serverOpen) return;
    this.#atClient(() => {
      if (this.#clientOpen) this.#client.message(message);
    });
  }

  #serverCloses(): void {
    if (!this.#serverOpen) return;
    this.#serverOpen = false;
    this.#atClient(() => this.#clientLoses());
  }

  #clientLoses(): void {
    if (!this.#clientWants) return;
    this.#clientWants = false;
    this.#clientOpen = false;
    this.#client.closed();
  }

  #atServer(run: () => void): void {
    this.#clock.after(this.#delayNanoseconds, phases.controller, run);
  }

  #atClient(run: () => void): void {
    this.#clock.after(this.#delayNanoseconds, this.#clientPhase, run);
  }
}
