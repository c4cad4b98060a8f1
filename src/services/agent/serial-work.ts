/** Work that must be done in order, each after the one before: a queue for each name, gone when it is empty. */

export class SerialWork {
  readonly #last = new Map<string, Promise<void>>();

  /** Does `work` when everything that was put before it on any of these queues has ended, well or not. It must not reject. */
  run(queues: readonly string[], work: () => Promise<void>): void {
    const before = queues.flatMap((queue) => this.#last.get(queue) ?? []);
    const done = Promise.all(before).then(work);
    for (const queue of queues) this.#last.set(queue, done);
    void done.then(() => {
      for (const queue of queues) if (this.#last.get(queue) === done) this.#last.delete(queue);
    });
  }

  /** Resolves when everything that was put on this queue up to now has ended. */
  async settled(queue: string): Promise<void> {
    await this.#last.get(queue);
  }

  /** Resolves when nothing is waiting or under way. */
  async idle(): Promise<void> {
    while (this.#last.size > 0) await Promise.all(this.#last.values());
  }
}
