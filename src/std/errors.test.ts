/** UserError: one line, a hint, an exit code that a shell can take. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DEFAULT_USER_ERROR_EXIT_CODE, UserError, formatUserError } from "./errors.ts";

describe("UserError", () => {
  it("is an Error with exit code 1 and no hint unless told otherwise", () => {
    const error = new UserError("port 7070 is taken");
    assert.ok(error instanceof Error);
    assert.equal(error.name, "UserError");
    assert.equal(error.exitCode, DEFAULT_USER_ERROR_EXIT_CODE);
    assert.equal(error.hint, undefined);
    assert.equal(formatUserError(error), "port 7070 is taken");
  });

  it("shows its hint on a second line", () => {
    const error = new UserError("port 7070 is taken", { hint: "give another one with --port", exitCode: 2 });
    assert.equal(formatUserError(error), "port 7070 is taken\ngive another one with --port");
    assert.equal(error.exitCode, 2);
  });

  it("folds further lines into the first, in the message and in the hint", () => {
    const error = new UserError("cannot read a.yaml:\r\n  line 3\n", { hint: "look\n at it" });
    assert.equal(error.message, "cannot read a.yaml: line 3");
    assert.equal(error.hint, "look at it");
  });

  it("keeps the error underneath without showing it", () => {
    const cause = new Error("EADDRINUSE");
    const error = new UserError("port 7070 is taken", { cause });
    assert.equal(error.cause, cause);
    assert.ok(!formatUserError(error).includes("EADDRINUSE"));
  });

  for (const exitCode of [0, -1, 256, 1.5, Number.NaN]) {
    it(`refuses the exit code ${exitCode}`, () => {
      assert.throws(() => new UserError("no", { exitCode }), RangeError);
    });
  }
});
