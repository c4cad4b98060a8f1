/**
 * Whose turn it is: something waits until others, known by number, have had their turn. One that is not known yet is waited
 * for. One that gives up before its turn has come lets those behind it wait for those before it. A bounded number of those
 * that are over is remembered, and whoever waits needs a limit of its own.
 */
export interface TurnsOptions {
  /** How many that are over are remembered. */
  readonly maximumRemembered: number;
}

interface Waiting {
  readonly left: Set<number>;
  readonly begin: () => void;
}

const nobody: readonly number[] = [];

export class Turns {
  readonly #options: TurnsOptions;
  /** Those that are over, the oldest first, with whom to wait for in their place. */
  readonly #over = new Map<number, readonly number[]>();
  readonly #waiting = new Set<Waiting>();

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  /** Whether all of these have had their turn. */
  areOver(numbers: readonly number[]): boolean {
    return this.#left(numbers).size === 0;
  }

  /** One has had its turn; or, where `before` names others, has given it up while it waited for them. */
  over(number: number, before: readonly number[] = nobody): void {
    if (this.#over.has(number)) return;
    this.#over.set(number, before);
    if (this.#over.size > this.#options.maximumRemembered) {
      const [oldest] = this.#over.keys();
      if (oldest !== undefined) this.#over.delete(oldest);
    }
    for (const waiting of this.#waiting) {
      if (!waiting.left.delete(number)) continue;
      for (const other of this.#left(before)) waiting.left.add(other);
      if (waiting.left.size > 0) continue;
      this.#waiting.delete(waiting);
      waiting.begin();
    }
  }

  /**
   * Does something when all of these have had their turn: at once, where they have.
   * @returns gives it up
   */
  after(numbers: readonly number[], begin: () => void): () => void {
    const left = this.#left(numbers);
    if (left.size === 0) {
      begin();
      return () => undefined;
    }
    const waiting: Waiting = { left, begin };
    this.#waiting.add(waiting);
    return () => this.#waiting.delete(waiting);
  }

  /** Which of these, or of those to wait for in their place, have not had their turn. */
  #left(numbers: readonly number[]): Set<number> {
    const left = new Set<number>();
    const looked = new Set(numbers);
    // The set grows while it is walked through.
    for (const number of looked) {
      const before = this.#over.get(number);
      if (before === undefined) left.add(number);
      else for (const other of before) looked.add(other);
    }
    return left;
  }
}
