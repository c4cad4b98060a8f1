/** A file that is published while it is written: what is written to it is with agents soon after. */
import { PassThrough, type TransformCallback } from "node:stream";
import type { PublishResult } from "../services/publisher/publish-options.ts";

/**
 * A stream to write to. `end` publishes the version; `destroy` aborts the publish, and nothing of it stays anywhere.
 * Writing waits (in the way of streams) while agents cannot take in more.
 */
export class GrowingFile extends PassThrough {
  readonly #stop: AbortController;
  /** Resolves when the version is published as a whole; rejects when it is not. */
  readonly published: Promise<PublishResult>;
  #isWhole = false;

  constructor(publish: (file: GrowingFile, signal: AbortSignal) => Promise<PublishResult>) {
    super();
    this.#stop = new AbortController();
    this.published = publish(this, this.#stop.signal);
    // Whoever writes learns of it as of any other error of a stream.
    this.published.catch((error: unknown) => {
      if (!this.destroyed) this.destroy(error instanceof Error ? error : new Error(String(error)));
    });
    this.on("error", () => undefined);
  }

  override _flush(callback: TransformCallback): void {
    this.#isWhole = true;
    callback();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (!this.#isWhole) this.#stop.abort(error ?? new Error("the stream was destroyed before its end"));
    super._destroy(error, callback);
  }
}
