import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { UserError } from "../std/errors.ts";
import { labelsSchema, parseLabel, parseLabels } from "./labels.ts";
import { formatSelector, matchesSelector, parseSelector } from "./selector.ts";

const agent = { name: "fra-0", site: "fra", labels: { tier: "web", gpu: "", "zone/rack": "r.1" } };

test("selectors choose by site, name and labels", () => {
  for (const [text, expected] of [
    ["all", true],
    [" all ", true],
    ["site=fra", true],
    ["site = fra , tier = web", true],
    ["site=iad", false],
    ["site in (fra,iad)", true],
    ["site in( iad )", false],
    ["site notin (iad, ams)", true],
    ["site notin (fra)", false],
    ["name=fra-0", true],
    ["tier!=db", true],
    ["tier!=web", false],
    ["missing!=x", true],
    ["missing notin (x)", true],
    ["missing=x", false],
    ["gpu", true],
    ["gpu=", true],
    ["!gpu", false],
    ["!missing,gpu", true],
    ["zone/rack=r.1", true],
    ["constructor", false],
    ["in in (in)", false],
  ] as const) {
    assert.equal(matchesSelector(parseSelector(text), agent), expected, text);
  }
});

test("mistakes are shown with their place", () => {
  for (const [text, place] of [
    ["", "character 1:"],
    ["site=fra,", "character 10:"],
    ["site fra", "character 6:"],
    ["site in fra", "character 9:"],
    ["site in (fra", "character 13:"],
    ["site=fra iad", "character 10:"],
    ["site==fra", "character 6:"],
    ["all,gpu", "character 1:"],
    ["!", "character 2:"],
    ["-a", "character 1:"],
    ["a=b/c", "character 3:"],
    ["a;b", "character 2:"],
  ] as const) {
    assert.throws(
      () => parseSelector(text),
      (error) => error instanceof UserError && error.message.includes(place),
      `${text} at ${place}`,
    );
  }
  assert.throws(() => parseSelector("a,".repeat(3000)), UserError);
});

test("a selector's text gives the same selector", () => {
  const word = fc.stringMatching(/^[a-z][a-z0-9.-]{0,5}$/).filter((text) => text !== "all");
  const value = fc.stringMatching(/^[a-z0-9.-]{0,5}$/);
  const plain = { noNullPrototype: true } as const;
  const term = fc.oneof(
    fc.record({ kind: fc.constantFrom("exists" as const, "absent" as const), key: word }, plain),
    fc.record(
      {
        kind: fc.constantFrom("in" as const, "notIn" as const),
        key: word,
        values: fc.array(value, { minLength: 1, maxLength: 3 }),
      },
      plain,
    ),
  );
  fc.assert(
    fc.property(fc.array(term, { maxLength: 4 }), (terms) => {
      assert.deepEqual(parseSelector(formatSelector({ terms })), { terms });
    }),
  );
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        parseSelector(text);
      } catch (error) {
        assert.ok(error instanceof UserError);
      }
    }),
  );
});

test("labels", () => {
  assert.deepEqual(parseLabel("tier=web"), { key: "tier", value: "web" });
  assert.deepEqual(parseLabel("gpu="), { key: "gpu", value: "" });
  assert.deepEqual(parseLabels(["a=1", "b=2"]), { a: "1", b: "2" });
  for (const text of ["tier", "=web", "a b=c", "a=b c", "site=fra", "name=x", "all=1", "a=b=c"]) {
    assert.throws(() => parseLabel(text), UserError, text);
  }
  assert.throws(() => parseLabels(["a=1", "a=2"]), UserError);
  assert.throws(() => parseLabels(Array.from({ length: 65 }, (_, index) => `l${String(index)}=1`)), UserError);
  assert.equal(labelsSchema.safeParse({ tier: "web" }).success, true);
  for (const labels of [{ site: "fra" }, { "a b": "c" }, { a: "b c" }, { a: 1 }]) {
    assert.equal(labelsSchema.safeParse(labels).success, false);
  }
});
