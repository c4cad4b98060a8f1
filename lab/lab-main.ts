/**
 * npm run lab -- up RACE | down | exec HOST COMMAND...: the network of a race, on this machine, with nothing running in
 * it. It stays until it is taken down.
 */
import { spawn } from "node:child_process";
import { parseArgs } from "node:util";
import { printable } from "#src/platform/printable.ts";
import { UserError } from "#src/std/errors.ts";
import { checkLabIsPossible, insideNamespace } from "./network/commands.ts";
import { defaultLab, findLab, Lab, removableLabs, removeLab } from "./network/lab.ts";
import { loadRace } from "./race/load-race.ts";

const usage = `npm run lab -- up RACE              make the network of a race: a name in races/, or a file
npm run lab -- down                 remove it, and every process in it; also what a crash has left (a race that runs keeps its own)
npm run lab -- exec HOST COMMAND... run a command on a host (or on "controller"), also while a race runs

Needs Linux, root and iproute2.
`;

process.exitCode = await main(process.argv.slice(2));

async function main(words: readonly string[]): Promise<number> {
  const [verb, ...rest] = words;
  try {
    switch (verb) {
      case "up":
        return await up(rest);
      case "down":
        return await down(rest);
      case "exec":
        return await execute(rest);
      case "--help":
      case "-h":
        process.stdout.write(usage);
        return 0;
      default:
        process.stderr.write(usage);
        return 2;
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const hint = error.hint === undefined ? "" : ` (${error.hint})`;
    process.stderr.write(`lab: ${printable(error.message)}${hint}\n`);
    return 1;
  }
}

function onlyWords(words: readonly string[], count: number): string[] | undefined {
  const { positionals } = parseArgs({ args: [...words], options: {}, allowPositionals: true, strict: false });
  return positionals.length === count && words.length === count ? positionals : undefined;
}

async function up(words: readonly string[]): Promise<number> {
  const [name] = onlyWords(words, 1) ?? [];
  if (name === undefined) {
    process.stderr.write(usage);
    return 2;
  }
  const race = loadRace(name);
  const lab = await Lab.up(defaultLab, race.name, race, true);
  for (const { name, site, address } of lab.plan.hosts) {
    process.stdout.write(`${name.padEnd(16)} ${site.padEnd(10)} ${address}\n`);
  }
  process.stdout.write(`the lab of ${race.name} is up; try: npm run lab -- exec ${lab.plan.hosts[0]?.name} ip addr\n`);
  return 0;
}

async function down(words: readonly string[]): Promise<number> {
  if (words.length > 0) {
    process.stderr.write(usage);
    return 2;
  }
  checkLabIsPossible();
  let count = 0;
  for (const lab of removableLabs()) count += await removeLab(lab);
  process.stdout.write(count === 0 ? "there was no lab\n" : `removed ${count} network namespaces\n`);
  return 0;
}

/** With our terminal; our exit code is the command's. */
async function execute([host, ...command]: readonly string[]): Promise<number> {
  if (host === undefined || command.length === 0) {
    process.stderr.write(usage);
    return 2;
  }
  checkLabIsPossible();
  const { hosts } = findLab();
  const found = hosts.find(({ name }) => name === host);
  if (found === undefined) {
    throw new UserError(`the lab has no host ${JSON.stringify(host)}`, {
      hint: `there are ${hosts.map(({ name }) => name).join(", ")}`,
    });
  }
  const [program = "", ...rest] = insideNamespace(found.namespace, command);
  const child = spawn(program, rest, { stdio: "inherit" });
  return new Promise((resolve) => {
    child.once("error", () => resolve(1));
    child.once("exit", (code, signal) => resolve(code ?? (signal === "SIGINT" ? 130 : 1)));
  });
}
