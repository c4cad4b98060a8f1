import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultCostWeights, scoreTransfer, type TransferCandidate } from "./cost.ts";

const plain: TransferCandidate = {
  ratePerMille: 1_000,
  copies: 3,
  fresh: false,
  origin: false,
  lanesOut: 0,
  dependence: 0,
  slowTarget: false,
  slowSource: false,
  lastResort: false,
  recentFailures: 0,
};

function isBetter(one: Partial<TransferCandidate>, other: Partial<TransferCandidate>): boolean {
  const score = (change: Partial<TransferCandidate>): number =>
    scoreTransfer({ ...plain, ...change }, defaultCostWeights);
  return score(one) > score(other);
}

test("each term prefers what it is for", () => {
  assert.ok(isBetter({ ratePerMille: 900 }, { ratePerMille: 800 }));
  assert.ok(isBetter({ copies: 2 }, { copies: 3 }));
  assert.ok(isBetter({ fresh: true, copies: 0 }, { copies: 1 }));
  assert.ok(isBetter({}, { lanesOut: 1 }));
  assert.ok(isBetter({}, { dependence: 1_000 }));
  assert.ok(isBetter({}, { origin: true }));
  assert.ok(isBetter({}, { slowSource: true }));
  assert.ok(isBetter({}, { recentFailures: 1 }));
  assert.ok(isBetter({}, { lastResort: true }));
});

test("an origin gives what nobody has; a slow target is not to wait for it", () => {
  assert.ok(isBetter({ fresh: true, origin: true }, { origin: true }));
  assert.ok(!isBetter({ fresh: true, slowTarget: true }, {}));
  assert.ok(!isBetter({ slowTarget: true }, {}) && !isBetter({}, { slowTarget: true }));
});

test("sparing a drained agent outweighs all else together", () => {
  const worst = { ratePerMille: 1, copies: 100, lanesOut: 8, slowSource: true, recentFailures: 3, dependence: 10_000 };
  assert.ok(isBetter(worst, { lastResort: true, fresh: true, copies: 0 }));
});

test("other weights weigh otherwise", () => {
  const weights = { ...defaultCostWeights, rarity: 0 };
  assert.equal(scoreTransfer({ ...plain, copies: 1 }, weights), scoreTransfer({ ...plain, copies: 9 }, weights));
});
