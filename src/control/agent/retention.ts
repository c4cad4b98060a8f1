/**
 * Which versions of a file set an agent no longer keeps. Pure arithmetic over a list; the caller deletes.
 *
 * Kept are: the current version, the one that is to become current, every version newer than the current one, and of
 * those before it as many as make up `keepVersions`, the most recently active first, then the newest. A version that is
 * not whole is kept only as long as the controller wants it.
 */
export interface HeldVersion {
  readonly version: string;
  readonly sequence: number;
  /** The controller wants this agent to hold it. */
  readonly wanted: boolean;
  /** All of it is held. */
  readonly complete: boolean;
}

export interface RetentionInput {
  readonly keepVersions: number;
  /** Where `current` points. */
  readonly current: string | undefined;
  /** Where the controller wants it to point. */
  readonly active: string | undefined;
  /** Versions that were current before, the latest first. */
  readonly previous: readonly string[];
  readonly versions: readonly HeldVersion[];
}

/** The versions to delete, in the order of the input. */
export function versionsToDelete(input: RetentionInput): string[] {
  const kept = new Set<string>();
  if (input.current !== undefined) kept.add(input.current);
  if (input.active !== undefined) kept.add(input.active);
  const anchor = input.versions.find((entry) => entry.version === input.current);
  const older: HeldVersion[] = [];
  for (const entry of input.versions) {
    if (kept.has(entry.version)) continue;
    if (!entry.complete) {
      if (entry.wanted) kept.add(entry.version);
    } else if (anchor === undefined ? entry.wanted : entry.sequence > anchor.sequence) {
      kept.add(entry.version);
    } else {
      older.push(entry);
    }
  }
  const recency = (entry: HeldVersion) => {
    const place = input.previous.indexOf(entry.version);
    return place < 0 ? input.previous.length : place;
  };
  older.sort((left, right) => recency(left) - recency(right) || right.sequence - left.sequence);
  const room = anchor === undefined ? input.keepVersions : input.keepVersions - 1;
  for (const entry of older.slice(0, room)) kept.add(entry.version);
  return input.versions.filter((entry) => !kept.has(entry.version)).map((entry) => entry.version);
}
