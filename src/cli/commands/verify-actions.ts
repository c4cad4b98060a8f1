/** What `sluice verify` does. */
import { formatBytes } from "../../std/units.ts";
import { verifyData } from "../../platform/agent-store/verify-data.ts";
import type { Damage, VerifiedData } from "../../platform/agent-store/verify-data.ts";
import { printable } from "../../platform/printable.ts";
import { exitCodes } from "../exit-codes.ts";
import { print } from "../output.ts";
import type { VerifyFlags } from "./verify.ts";

/** Damage makes the command fail, so that scripts notice. */
export async function verify(flags: VerifyFlags): Promise<void> {
  const verified = await verifyData(flags.data);
  print(flags.json, verified, () => describe(verified));
  if (verified.damage.length > 0) process.exitCode = exitCodes.failure;
}

function describe({ fileSets, damage }: VerifiedData): string {
  const lines = fileSets.map(({ fileSet, complete, checkedFiles, checkedBlocks, checkedBytes, damaged }) => {
    const extent = `${count(checkedBlocks, "block")} of ${count(checkedFiles, "file")} (${formatBytes(checkedBytes)})`;
    const result = damaged === 0 ? "all of them right" : `${damaged} damaged`;
    return `${fileSet}${complete ? "" : " (not complete)"}: ${extent} checked, ${result}`;
  });
  if (lines.length === 0) lines.push("nothing is held");
  return [...lines, ...damage.map(describeDamage)].map((line) => `${line}\n`).join("");
}

function describeDamage({ fileSet, path, block, offsetBytes, lengthBytes, problem }: Damage): string {
  const what = block === undefined ? "" : `, block ${block} (${lengthBytes} bytes at ${offsetBytes})`;
  return `damaged: ${fileSet} ${printable(JSON.stringify(path))}${what}: ${problem}`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
