import assert from "node:assert/strict";
import { test } from "node:test";
import { Turns } from "./turns.ts";

test("something waits until all before it are over, whether they are known yet or not", () => {
  const turns = new Turns({ maximumRemembered: 10 });
  const done: string[] = [];
  turns.after([], () => done.push("none"));
  turns.after([1, 2], () => done.push("both"));
  turns.over(2);
  assert.deepEqual(done, ["none"]);
  turns.over(1);
  assert.deepEqual(done, ["none", "both"]);
  turns.after([2], () => done.push("at once"));
  assert.deepEqual(done, ["none", "both", "at once"]);
  assert.ok(turns.areOver([1, 2]));
  assert.ok(!turns.areOver([1, 3]));
});

test("what was given up is not done", () => {
  const turns = new Turns({ maximumRemembered: 10 });
  const giveUp = turns.after([7], () => assert.fail("it was given up"));
  giveUp();
  turns.over(7);
});

test("only so many that are over are remembered", () => {
  const turns = new Turns({ maximumRemembered: 2 });
  for (const number of [1, 2, 3]) turns.over(number);
  assert.ok(turns.areOver([2, 3]));
  assert.ok(!turns.areOver([1]));
});

test("who gives up before its turn lets those behind it wait for those before it", () => {
  const turns = new Turns({ maximumRemembered: 10 });
  const done: string[] = [];
  turns.after([2], () => done.push("waited"));
  turns.over(2, [1]);
  turns.after([2], () => done.push("came later"));
  assert.deepEqual(done, []);
  turns.over(1);
  assert.deepEqual(done, ["waited", "came later"]);
  turns.over(4, [3, 1]);
  assert.ok(!turns.areOver([4]));
  turns.over(3);
  assert.ok(turns.areOver([4]));
});
