import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { UserError } from "../std/errors.ts";
import { checkLinkTarget, checkTreePath, linkDependsOnOthers, linkStaysInside } from "./tree-path.ts";

test("plain relative paths are accepted", () => {
  for (const path of ["a", "a/b", ".hidden", "...", "a b/ü/\u{1f600}", "a\\b", `${"x".repeat(255)}/y`]) {
    assert.equal(checkTreePath(path), path);
  }
});

test("other paths are refused, by name and reason", () => {
  for (const [path, reason] of [
    ["", /is empty/],
    ["/a", /is absolute/],
    ["a//b", /empty part/],
    ["a/", /empty part/],
    ["./a", /part "\."/],
    ["a/../b", /part "\.\."/],
    ["..", /part "\.\."/],
    ["a\0", /"a\\u0000" holds a NUL/],
    ["a\ud800", /not valid Unicode/],
    ["x".repeat(256), /part longer than 255/],
    ["ü".repeat(128), /part longer than 255/],
    ["x/".repeat(2048) + "y", /longer than 4096/],
  ] as const) {
    assert.throws(
      () => checkTreePath(path),
      (error) => error instanceof UserError && reason.test(error.message),
      path,
    );
  }
  for (const target of ["", "a\0", "\udc00", "x".repeat(4097)]) {
    assert.throws(() => checkLinkTarget("a", target), UserError);
  }
});

test("links that stay inside, and links that leave", () => {
  const links: Record<string, string> = {
    l1: ".",
    l2: "l1/..",
    "d/up": "..",
    "d/deep": "x/y",
    loop: "loop",
    ping: "pong",
    pong: "ping",
    out: "/etc",
  };
  const lookup = (path: string): string | undefined => (Object.hasOwn(links, path) ? links[path] : undefined);
  for (const [path, target, stays] of [
    ["a", "b", true],
    ["a", ".", true],
    ["a", "..", false],
    ["a/b", "..", true],
    ["a/b", "../..", false],
    ["a/b", "../../a", false],
    ["a/b", "../c//./d", true],
    ["a", "/b", false],
    ["a", "b/../..", false],
    ["a", "b/..", true],
    ["a", "b/../c", true],
    ["a", "l1/..", false],
    ["a", "d/up/..", false],
    ["a", "d/up/x", true],
    ["a", "d/deep/../..", true],
    ["a", "d/deep/../../..", true],
    ["a", "d/deep/../../../..", false],
    ["a", "loop", true],
    ["a", "ping/../..", true],
    ["a", "out/x", false],
    ["a", "nothing/here", true],
  ] as const) {
    assert.equal(linkStaysInside(path, target, lookup), stays, `${path} -> ${target}`);
  }
});

test("a chain of links is followed as far as the kernel does", () => {
  const chain = (length: number) => (path: string) => {
    const number = Number(path.slice(1));
    return number < length ? `n${String(number + 1)}` : number === length ? "." : undefined;
  };
  assert.equal(linkStaysInside("a", "n1/..", chain(20)), false);
  assert.equal(linkStaysInside("a", "n1/..", chain(60)), true);
});

test("where no link depends on others, each by itself inside, none leads out", () => {
  const part = fc.constantFrom("a", "b", "c", "..", ".");
  const tree = fc.dictionary(
    fc.constantFrom("a", "b", "c/a", "c/b", "c/d/a"),
    fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join("/")),
  );
  fc.assert(
    fc.property(tree, (links) => {
      const targets = new Map(Object.entries(links));
      const alone = [...targets].every(
        ([path, target]) => !linkDependsOnOthers(target) && linkStaysInside(path, target, () => undefined),
      );
      fc.pre(alone);
      for (const [path, target] of targets) {
        assert.ok(linkStaysInside(path, target, (other) => targets.get(other)));
      }
    }),
  );
});
