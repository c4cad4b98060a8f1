/**
 * A lab that is up: it is made from a plan, and taken down with everything in it.
 *
 * It promises: whatever happens on the way, `down` leaves no namespace, device or process of the lab; making one clears
 * what labs of processes that are gone have left; nothing outside of the lab's own namespaces is changed.
 */
import { spawn } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import { join } from "node:path";
import { UserError } from "#src/std/errors.ts";
import { repositoryRoot } from "../../demo/programs.ts";
import { checkLabIsPossible, insideNamespace, namespacesWith, processesIn, runBatch, runCommand } from "./commands.ts";
import { planLab, type DelayDevice, type LabHost, type LabNetwork, type LabPlan } from "./lab-plan.ts";
import {
  isOrphaned,
  labsWithState,
  readLabState,
  removeLabState,
  thisOwner,
  writeLabState,
  type LabState,
} from "./lab-state.ts";
import { delayReadyMilliseconds } from "./limits.ts";
import { shapeDevice } from "./shaping.ts";

/** The lab that is meant when none is named. */
export const defaultLab = "main";
/** All namespaces of all labs begin so. */
const everyLab = "sluice-lab.";
const delayProgram = join(repositoryRoot, "lab", "network", "delay-packets.py");
/** How long processes in a lab have to end when they are told to, before they are killed. */
const endTimeoutMilliseconds = 5_000;

export class Lab {
  readonly name: string;
  readonly plan: LabPlan;

  private constructor(name: string, plan: LabPlan) {
    this.name = name;
    this.plan = plan;
  }

  /**
   * Makes a lab, after what is left of one of this name is cleared.
   * @param stays it stays when this process ends
   * @throws UserError when it cannot be made; then nothing of it is left
   */
  static async up(name: string, race: string, network: LabNetwork, stays: boolean): Promise<Lab> {
    checkLabIsPossible();
    await removeLeftovers(name);
    const plan = planLab(network, prefixOf(name));
    writeLabState({ lab: name, race, owner: stays ? null : thisOwner(), hosts: [...plan.hosts] });
    try {
      await makeLab(plan);
    } catch (error) {
      await removeLab(name);
      throw error;
    }
    return new Lab(name, plan);
  }

  host(name: string): LabHost {
    const found = this.plan.hosts.find((host) => host.name === name);
    if (found === undefined) throw new UserError(`the lab has no host ${JSON.stringify(name)}`);
    return found;
  }

  /** Gives a resource another rate while it is in use. False: no device of the kernel stands for it. */
  setRate(resource: string, rateBitsPerSecond: number): boolean {
    const found = this.plan.devices.find((device) => device.resource === resource);
    if (found === undefined) return false;
    runBatch("tc", found.namespace, [shapeDevice(found.device, rateBitsPerSecond)]);
    return true;
  }

  /** Multicast of any host reaches all others from now on. */
  carryMulticast(): void {
    for (const { name, tcForMulticast } of this.plan.namespaces) runBatch("tc", name, tcForMulticast);
  }

  async down(): Promise<void> {
    await removeLab(this.name);
  }
}

/** The lab that stays until it is taken down; without one, that of the race that runs. @throws UserError when none is up */
export function findLab(): LabState {
  const states = allLabs().flatMap((name) => readLabState(name) ?? []);
  const usable = states.filter((state) => !isOrphaned(state) && namespacesWith(prefixOf(state.lab)).length > 0);
  const found = usable.find(({ lab }) => lab === defaultLab) ?? usable[0];
  if (found === undefined) throw new UserError("the lab is not up", { hint: "npm run lab -- up RACE" });
  return found;
}

/** Ends every process in a lab and removes it. @returns how many namespaces there were */
export async function removeLab(name: string): Promise<number> {
  const namespaces = namespacesWith(prefixOf(name));
  const processes = (): number[] => namespaces.flatMap(processesIn).filter((id) => id !== process.pid);
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    for (const id of processes()) tryToEnd(id, signal);
    for (const giveUpAt = performance.now() + endTimeoutMilliseconds; performance.now() < giveUpAt;) {
      if (processes().length === 0) break;
      await pause(20);
    }
  }
  // Devices go with their namespaces, and with each the other end of its pair. Somebody else may be removing it, too.
  for (const namespace of namespacesWith(prefixOf(name))) {
    try {
      runCommand("ip", ["netns", "del", namespace]);
    } catch (error) {
      if (namespacesWith(prefixOf(name)).includes(namespace)) throw error;
    }
  }
  removeLabState(name);
  return namespaces.length;
}

/** Labs that nobody else removes: those that stay until they are taken down, and what a crash has left. */
export function removableLabs(): string[] {
  return allLabs().filter((lab) => {
    const state = readLabState(lab);
    return state === undefined || state.owner === null || isOrphaned(state);
  });
}

/** All labs there is something of. */
function allLabs(): string[] {
  const named = namespacesWith(everyLab).map((namespace) => namespace.slice(everyLab.length).split(".")[0] ?? "");
  return [...new Set([...labsWithState(), ...named])];
}

function prefixOf(lab: string): string {
  return `${everyLab}${lab}.`;
}

/** Clears what stands in the way of a lab of this name, and the labs of processes that are gone. */
async function removeLeftovers(name: string): Promise<void> {
  for (const lab of allLabs()) {
    const state = readLabState(lab);
    if (lab === name || state === undefined || isOrphaned(state)) await removeLab(lab);
  }
}

async function makeLab(plan: LabPlan): Promise<void> {
  runBatch(
    "ip",
    undefined,
    plan.namespaces.map(({ name }) => `netns add ${name}`),
  );
  // Before there are devices: those take what is the default then.
  for (const { name, routes } of plan.namespaces) configureKernel(name, routes);
  runBatch("ip", undefined, plan.links);
  for (const { name, ip, tc } of plan.namespaces) {
    runBatch("ip", name, ip);
    runBatch("tc", name, tc);
  }
  if (plan.delays.length > 0) await startDelays(plan.delays);
  for (const { name, ipAfterDelays } of plan.namespaces) runBatch("ip", name, ipAfterDelays);
}

const hostSettings = ["net/ipv6/conf/default/disable_ipv6=1"];
/** Paths through links by name are not the same both ways, which routers must not mind. */
const routerSettings = [
  ...hostSettings,
  "net/ipv4/ip_forward=1",
  "net/ipv4/conf/all/rp_filter=0",
  "net/ipv4/conf/default/rp_filter=0",
  "net/ipv4/conf/all/send_redirects=0",
  "net/ipv4/conf/default/send_redirects=0",
];

function configureKernel(namespace: string, routes: boolean): void {
  const settings = routes ? routerSettings : hostSettings;
  const script = settings
    .map((setting) => setting.split("="))
    .map(([path, value]) => `[ ! -e /proc/sys/${path} ] || echo ${value} > /proc/sys/${path}`);
  runCommand("ip", ["netns", "exec", namespace, "sh", "-c", script.join("\n")]);
}

/** Starts the program that delays packets, and waits until its devices are there. It ends with the lab. */
async function startDelays(delays: readonly DelayDevice[]): Promise<void> {
  const words = delays.flatMap(({ device, delayNanoseconds }) => [
    device,
    String(Math.round(delayNanoseconds / 1_000)),
  ]);
  const [command = "", ...rest] = insideNamespace(delays[0]?.namespace ?? "", ["python3", delayProgram, ...words]);
  const child = spawn(command, rest, { stdio: ["ignore", "pipe", "pipe"], detached: true });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (said += text));
  for (const giveUpAt = performance.now() + delayReadyMilliseconds; !said.includes("ready");) {
    if (child.exitCode !== null || performance.now() > giveUpAt) {
      child.kill("SIGKILL");
      throw new UserError(`packets cannot be delayed: ${said.trim().split("\n").at(-1) ?? ""}`, {
        hint: "a race with delays needs python3 and /dev/net/tun",
      });
    }
    await pause(10);
  }
  child.stdout.destroy();
  child.stderr.destroy();
  child.unref();
}

/** It may have ended by itself. */
function tryToEnd(processId: number, signal: NodeJS.Signals): void {
  try {
    process.kill(processId, signal);
  } catch {
    // Gone: that is what was wanted.
  }
}
