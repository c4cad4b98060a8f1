/**
 * What is written down of labs that are up: one small file each, so that whoever comes later can use one or remove it.
 * A lab that a race made belongs to that process; when the process is gone, the lab is a leftover.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

/** Gone after a restart of the machine, as namespaces are. */
const stateDirectory = "/run/sluice-lab";

const stateSchema = z.object({
  lab: z.string(),
  /** The race's name, for people. */
  race: z.string(),
  /** The process that removes it at its end; null: nobody does, it stays until it is taken down. */
  owner: z.object({ processId: z.number(), startedAt: z.string() }).nullable(),
  hosts: z.array(z.object({ name: z.string(), site: z.string(), namespace: z.string(), address: z.string() })),
});

export type LabState = z.infer<typeof stateSchema>;

export function writeLabState(state: LabState): void {
  mkdirSync(stateDirectory, { recursive: true });
  const path = pathOf(state.lab);
  writeFileSync(`${path}.new`, JSON.stringify(state));
  renameSync(`${path}.new`, path);
}

/** undefined: nothing is written down of it, or nothing that can be read. */
export function readLabState(lab: string): LabState | undefined {
  try {
    return stateSchema.parse(JSON.parse(readFileSync(pathOf(lab), "utf8")));
  } catch {
    return undefined;
  }
}

export function removeLabState(lab: string): void {
  rmSync(pathOf(lab), { force: true });
}

/** The names of all labs that something is written down of. */
export function labsWithState(): string[] {
  try {
    return readdirSync(stateDirectory)
      .filter((name) => name.endsWith(".json"))
      .map((name) => name.slice(0, -".json".length));
  } catch {
    return [];
  }
}

/** This process, so that it is not mistaken for a later one with the same id. */
export function thisOwner(): NonNullable<LabState["owner"]> {
  return { processId: process.pid, startedAt: startOf(process.pid) ?? "" };
}

/** Whether the process that would remove this lab is gone. */
export function isOrphaned({ owner }: LabState): boolean {
  return owner !== null && startOf(owner.processId) !== owner.startedAt;
}

/** When a process started, in ticks of the kernel; undefined: there is none. */
function startOf(processId: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${processId}/stat`, "latin1");
    // The name stands in parentheses and may hold anything; the start is the 20th field after it.
    return text.slice(text.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}

function pathOf(lab: string): string {
  return join(stateDirectory, `${lab}.json`);
}
