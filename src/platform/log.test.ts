import { strict as assert } from "node:assert";
import { describe, it } from "node:test";
import { createLogger } from "./log.ts";

function collect(human: boolean, level?: string): { lines: string[]; logger: ReturnType<typeof createLogger> } {
  const lines: string[] = [];
  const destination = { write: (text: string) => void lines.push(text) };
  return { lines, logger: createLogger({ program: "controller", destination, human, ...(level && { level }) }) };
}

describe("log", () => {
  it("writes one JSON object a line where nobody watches", () => {
    const { lines, logger } = collect(false);
    logger.info({ agent: "fra-0" }, "agent online");
    const { time, ...rest } = JSON.parse(lines[0] ?? "") as Record<string, unknown>;
    assert.match(String(time), /^\d{4}-\d\d-\d\dT/);
    assert.deepEqual(rest, { level: "info", program: "controller", agent: "fra-0", msg: "agent online" });
  });

  it("writes lines for people on a terminal, control characters made visible", () => {
    const { lines, logger } = collect(true);
    logger.warn({ agent: "fra-0", lanes: 2, reason: "no route" }, "lost\u001b[2J it\nagain");
    assert.match(
      lines[0] ?? "",
      /^\d\d:\d\d:\d\d warn {2}lost\\u001b\[2J it\\u000aagain {2}agent=fra-0 {2}lanes=2 {2}reason="no route"\n$/,
    );
  });

  it("shows only what is at the level or above it", () => {
    const { lines, logger } = collect(false, "error");
    logger.warn("not this");
    logger.error("this");
    assert.equal(lines.length, 1);
  });
});
