/** Which versions go, in one line each: `*` is current, `!` wanted, `~` not whole. */
import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import { versionsToDelete } from "./retention.ts";

function dropped(line: string, keepVersions: number, previous: string[] = [], active?: string): string {
  const words = line.split(" ");
  const versions = words.map((word, index) => ({
    version: word.replaceAll(/[*!~]/g, ""),
    sequence: index,
    wanted: word.includes("!"),
    complete: !word.includes("~"),
  }));
  const current = words.find((word) => word.includes("*"))?.replaceAll(/[*!~]/g, "");
  return versionsToDelete({ keepVersions, current, active, previous, versions }).join(" ");
}

it("keeps the current version, those newer, and the last ones before it", () => {
  assert.equal(dropped("a b c*", 2), "a");
  assert.equal(dropped("a b c*", 1), "a b");
  assert.equal(dropped("a b* c", 1), "a");
  assert.equal(dropped("a! b c*", 2), "a");
});

it("prefers versions that were current over newer ones that never were", () => {
  assert.equal(dropped("a b c*", 2, ["a"]), "b");
  assert.equal(dropped("a b c d*", 3, ["a"]), "b");
});

it("drops what is not whole only when nobody wants it", () => {
  assert.equal(dropped("a~ b!~ c*", 2), "a");
  assert.equal(dropped("a* b~ c!~", 2), "b");
  assert.equal(dropped("a~ b*", 2, [], "a"), "");
});

it("keeps the newest when none is current", () => {
  assert.equal(dropped("a b c", 2), "a");
  assert.equal(dropped("a! b c", 1), "b");
});

it("never drops the current version nor the one to become it", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ wanted: fc.boolean(), complete: fc.boolean() }), { maxLength: 8 }),
      fc.nat(9),
      fc.nat(9),
      fc.integer({ min: 1, max: 4 }),
      (entries, current, active, keepVersions) => {
        const versions = entries.map((entry, index) => ({ version: String(index), sequence: index, ...entry }));
        const input = { keepVersions, current: String(current), active: String(active), previous: [], versions };
        const gone = versionsToDelete(input);
        assert.ok(!gone.includes(String(current)) && !gone.includes(String(active)));
        // What is left needs no second look.
        const left = versions.filter((entry) => !gone.includes(entry.version));
        assert.deepEqual(versionsToDelete({ ...input, versions: left }), []);
      },
    ),
  );
});
