/** What every wrong use has in common: one clear line, an exit code that is not zero, nothing left behind. */
import { strict as assert } from "node:assert";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Fleet } from "./fleet.ts";
import type { Outcome } from "./program.ts";
import { waitUntil } from "./waiting.ts";

/** What a command may end with, and what that means. */
export const exit = { failure: 1, usage: 2, unreachable: 3, timedOut: 4, conflict: 5 };

export interface WrongUse {
  readonly name: string;
  readonly words: readonly string[];
  readonly code: number;
  readonly error: RegExp;
}

/** One line (a second one may say what to do), no stack trace, no talk of a defect. */
export function assertClear({ name, code, error }: WrongUse, outcome: Outcome): void {
  const shown = `${name}: ${outcome.code} ${outcome.error}`;
  assert.equal(outcome.code, code, shown);
  assert.match(outcome.error, error, shown);
  // Before it, a publish may have told how far it was.
  assert.match(outcome.error, /(^|\n)sluice: [^\n]+\n([^\n]+\n)?$/, shown);
  assert.doesNotMatch(outcome.error, /^\s+at |\.[jt]s:\d+|unexpected error|defect/m, shown);
  assert.equal(outcome.out, "", shown);
}

/** Runs all cases, two at a time. */
export async function assertAllClear(fleet: Fleet, cases: readonly WrongUse[]): Promise<void> {
  const left = [...cases];
  const work = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      assertClear(next, await fleet.run(...next.words));
    }
  };
  await Promise.all([work(), work()]);
}

export async function assertNothingLeft(fleet: Fleet): Promise<void> {
  await waitUntil("nothing is left of what was refused", async () => (await fleet.versions()).length === 0);
  for (const { directory } of fleet.members.values()) {
    await waitUntil(`nothing is left in ${directory}`, async () => {
      const names = await readdir(join(directory, "filesets")).catch(() => []);
      const versions = await Promise.all(names.map(async (name) => readdir(join(directory, "filesets", name))));
      return versions.flat().length === 0;
    });
  }
}
