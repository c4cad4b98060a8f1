import { strict as assert } from "node:assert";
import { describe, it } from "node:test";
import { Stage } from "./controller.testing.ts";
import { defaultControllerSettings } from "./settings.ts";
import { silentAt } from "./silence.ts";

const millisecond = 1_000_000;

describe("an end that says nothing", () => {
  it("is silent after three heartbeats", () => {
    const end = { lastHeardNanoseconds: 0 };
    const at = (milliseconds: number): number =>
      silentAt({ now: milliseconds * millisecond, settings: defaultControllerSettings }, end) / millisecond;
    assert.equal(at(5_999), 6_000);
    assert.equal(at(6_000), 6_000);
    assert.equal(at(7_000), 6_000);
  });

  it("gets another heartbeat from a controller that notices it late", () => {
    const end = { lastHeardNanoseconds: 0 };
    const at = (milliseconds: number): number =>
      silentAt({ now: milliseconds * millisecond, settings: defaultControllerSettings }, end) / millisecond;
    assert.equal(at(9_000), 11_000);
    assert.equal(at(11_000), 11_000, "and then it is silent");
  });

  it("is closed by the timer, after all that waits to be heard", () => {
    const stage = new Stage();
    stage.connect("fra-0", "fra");
    const closes = () => stage.sent.filter(({ type }) => type === "close").length;
    stage.advance(5_900);
    assert.equal(closes(), 0);
    stage.advance(200);
    assert.equal(closes(), 1);
  });
});
