/**
 * npm run bench: what Sluice reaches in the simulator, beside its targets and beside the figures of before. A target that is
 * missed fails nothing; a figure that has changed does, until the baseline says so too.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { UserError } from "#src/std/errors.ts";
import { runDeciding } from "./deciding.ts";
import { runScenarios, type ScenarioOutcome } from "./scenarios.ts";

const usage = `npm run bench -- [options]

  --deciding             measure how fast the scheduler alone decides
  --scenarios [name...]  run these scenarios of scenarios/, or files from elsewhere; without a name: all of scenarios/
  --update               write the figures of scenarios into benchmarks/baseline.json
  --json <file>          write all figures there
`;

process.exitCode = await main();

async function main(): Promise<number> {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        deciding: { type: "boolean", default: false },
        scenarios: { type: "boolean", default: false },
        update: { type: "boolean", default: false },
        json: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.help || !(values.scenarios || values.deciding)) {
      process.stdout.write(usage);
      return values.help ? 0 : 2;
    }
    const deciding = values.deciding ? runDeciding() : undefined;
    const scenarios = values.scenarios ? await runScenarios(positionals, values.update) : undefined;
    if (values.json !== undefined) {
      const figures = { ...(deciding && { deciding }), ...(scenarios && forPrograms(scenarios)) };
      writeFileSync(values.json, `${JSON.stringify(figures, null, 2)}\n`);
    }
    for (const problem of scenarios?.problems ?? []) process.stderr.write(`${problem}\n`);
    return (scenarios?.problems.length ?? 0) > 0 ? 1 : 0;
  } catch (error) {
    const isWrongUse = error instanceof TypeError && "code" in error;
    if (!(error instanceof UserError) && !isWrongUse) throw error;
    process.stderr.write(`${error.message}\n${isWrongUse ? usage : ""}`);
    return isWrongUse ? 2 : 1;
  }
}

/** Each run's own resources and uplinks are left out: there may be thousands. */
function forPrograms({ runs, verdicts, problems }: ScenarioOutcome): object {
  const scenarios = runs.map(({ name, policy, result }) => {
    const { resources: _resources, uplinks: _uplinks, ...figures } = result;
    return { name, policy, ...figures };
  });
  return { scenarios, targets: verdicts, problems };
}
