/** A lock that several may share or one have alone, in the order in which they ask. */

interface Waiting {
  readonly alone: boolean;
  readonly start: () => void;
}

export class SharedLock {
  #sharing = 0;
  #alone = false;
  readonly #waiting: Waiting[] = [];

  /** Runs `work` while nobody has the lock alone. */
  async share<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#run(false, work);
  }

  /** Runs `work` while nobody else has the lock. */
  async alone<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#run(true, work);
  }

  async #run<Result>(alone: boolean, work: () => Promise<Result>): Promise<Result> {
    await new Promise<void>((start) => {
      this.#waiting.push({ alone, start });
      this.#admit();
    });
    try {
      return await work();
    } finally {
      if (alone) this.#alone = false;
      else this.#sharing -= 1;
      this.#admit();
    }
  }

  #admit(): void {
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      if (this.#alone || (first.alone && this.#sharing > 0)) return;
      this.#waiting.shift();
      if (first.alone) this.#alone = true;
      else this.#sharing += 1;
      first.start();
    }
  }
}
