/**
 * What a topic holds, as the JSON texts that are sent: rows by key, and values that are replaced as a whole. Setting what
 * is there already changes nothing, so that only differences are ever told.
 */

class Rows {
  readonly #texts = new Map<string, string>();
  readonly #changed = new Set<string>();
  readonly #removed = new Set<string>();

  set(key: string, row: object): void {
    const text = JSON.stringify(row);
    if (this.#texts.get(key) === text) return;
    this.#texts.set(key, text);
    this.#changed.add(key);
    this.#removed.delete(key);
  }

  delete(key: string): void {
    if (!this.#texts.delete(key)) return;
    this.#changed.delete(key);
    this.#removed.add(key);
  }

  keys(): string[] {
    return [...this.#texts.keys()];
  }

  all(): string {
    return `[${[...this.#texts.values()].join(",")}]`;
  }

  takeChanged(): string | undefined {
    if (this.#changed.size === 0) return undefined;
    const texts = [...this.#changed].map((key) => this.#texts.get(key));
    this.#changed.clear();
    return `[${texts.join(",")}]`;
  }

  takeRemoved(): string | undefined {
    if (this.#removed.size === 0) return undefined;
    const keys = JSON.stringify([...this.#removed]);
    this.#removed.clear();
    return keys;
  }
}

export class TopicParts {
  readonly #collections = new Map<string, Rows>();
  readonly #values = new Map<string, string>();
  readonly #changedValues = new Set<string>();

  constructor(collections: readonly string[]) {
    for (const name of collections) this.#collections.set(name, new Rows());
  }

  set(collection: string, key: string, row: object): void {
    this.#rows(collection).set(key, row);
  }

  delete(collection: string, key: string): void {
    this.#rows(collection).delete(key);
  }

  /** Deletes the rows that are not among these. */
  keep(collection: string, keys: ReadonlySet<string> | ReadonlyMap<string, unknown>): void {
    const rows = this.#rows(collection);
    for (const key of rows.keys()) if (!keys.has(key)) rows.delete(key);
  }

  setValue(name: string, value: object | null): void {
    const text = JSON.stringify(value);
    if (this.#values.get(name) === text) return;
    this.#values.set(name, text);
    this.#changedValues.add(name);
  }

  /** `"data":{...}`: all there is. What changed before is not told again. */
  snapshot(): string {
    this.takeDelta();
    const parts = [...this.#values].map(([name, text]) => `"${name}":${text}`);
    for (const [name, rows] of this.#collections) parts.push(`"${name}":${rows.all()}`);
    return `"data":{${parts.join(",")}}`;
  }

  /** `"changed":{...},"removed":{...}`, as much of it as there is; undefined: nothing is different. */
  takeDelta(): string | undefined {
    const changed = [...this.#changedValues].map((name) => `"${name}":${this.#values.get(name) ?? "null"}`);
    this.#changedValues.clear();
    const removed: string[] = [];
    for (const [name, rows] of this.#collections) {
      const changedRows = rows.takeChanged();
      if (changedRows !== undefined) changed.push(`"${name}":${changedRows}`);
      const removedKeys = rows.takeRemoved();
      if (removedKeys !== undefined) removed.push(`"${name}":${removedKeys}`);
    }
    const parts: string[] = [];
    if (changed.length > 0) parts.push(`"changed":{${changed.join(",")}}`);
    if (removed.length > 0) parts.push(`"removed":{${removed.join(",")}}`);
    return parts.length === 0 ? undefined : parts.join(",");
  }

  #rows(collection: string): Rows {
    const rows = this.#collections.get(collection);
    if (rows === undefined) throw new RangeError(`the topic has no collection ${collection}`);
    return rows;
  }
}

/** Tells whether any of the numbers that a row rests on has moved since it was asked last. */
export class ChangeGate<Key> {
  readonly #last = new Map<Key, readonly number[]>();

  moved(key: Key, numbers: readonly number[]): boolean {
    const last = this.#last.get(key);
    if (last !== undefined && numbers.every((number, index) => number === last[index])) return false;
    this.#last.set(key, numbers);
    return true;
  }

  forget(key: Key): void {
    this.#last.delete(key);
  }
}
