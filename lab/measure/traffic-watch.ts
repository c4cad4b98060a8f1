/**
 * Reads the counters of a lab's devices every 50 ms while a race runs: one tc for each namespace stays open and is asked
 * again and again, since starting one each time would take more of the processor than some of the programs under test.
 *
 * Counted at the token bucket, where every packet counts with all its headers; a device's own counters see large packets
 * as one.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import type { ResourceDevice } from "../network/lab-plan.ts";
import { nowMilliseconds } from "../race/milliseconds.ts";
import { lastSampleMilliseconds, trafficSampleMilliseconds } from "./limits.ts";
import type { TrafficSample } from "./traffic-samples.ts";

interface Counter {
  readonly dev?: string;
  readonly kind?: string;
  readonly bytes?: number;
  readonly packets?: number;
}

interface Reader {
  readonly child: ChildProcess;
  /** The resource that each device is. */
  readonly resources: ReadonlyMap<string, string>;
  askedAt: number | undefined;
}

export class TrafficWatch {
  readonly #readers: Reader[] = [];
  readonly #samples = new Map<string, TrafficSample[]>();
  #timer: NodeJS.Timeout | undefined;

  /** Begins to watch these devices. */
  constructor(devices: readonly ResourceDevice[]) {
    const namespaces = new Map<string, Map<string, string>>();
    for (const { namespace, device, resource } of devices) {
      const resources = namespaces.get(namespace) ?? new Map<string, string>();
      resources.set(device, resource);
      namespaces.set(namespace, resources);
      this.#samples.set(resource, []);
    }
    for (const [namespace, resources] of namespaces) this.#readers.push(this.#open(namespace, resources));
    this.#timer = setInterval(() => this.#ask(), trafficSampleMilliseconds);
    this.#ask();
  }

  /** What was counted so far at a resource's device; empty if it has none. */
  samples(resource: string): readonly TrafficSample[] {
    return this.#samples.get(resource) ?? [];
  }

  resources(): string[] {
    return [...this.#samples.keys()];
  }

  /** Reads once more and ends. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    const giveUpAt = performance.now() + lastSampleMilliseconds;
    const wait = async (): Promise<void> => {
      while (this.#readers.some(({ askedAt }) => askedAt !== undefined) && performance.now() < giveUpAt) await pause(5);
    };
    await wait();
    this.#ask();
    await wait();
    this.close();
  }

  /** Ends at once. */
  close(): void {
    clearInterval(this.#timer);
    for (const { child } of this.#readers) child.kill("SIGKILL");
  }

  #open(namespace: string, resources: ReadonlyMap<string, string>): Reader {
    const child = spawn("tc", ["-n", namespace, "-s", "-j", "-batch", "-"], { stdio: ["pipe", "pipe", "ignore"] });
    const reader: Reader = { child, resources, askedAt: undefined };
    let text = "";
    child.on("error", () => undefined);
    child.stdin.on("error", () => undefined);
    child.stdout.setEncoding("utf8").on("data", (part: string) => {
      text += part;
      for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
        const line = text.slice(0, end);
        text = text.slice(end + 1);
        if (line.startsWith("[")) this.#take(reader, line);
      }
    });
    return reader;
  }

  /** One that has not answered yet is not asked again: the machine is busy. */
  #ask(): void {
    for (const reader of this.#readers) {
      if (reader.askedAt !== undefined) continue;
      reader.askedAt = nowMilliseconds();
      reader.child.stdin?.write("qdisc show\n");
    }
  }

  #take(reader: Reader, line: string): void {
    const askedAt = reader.askedAt ?? nowMilliseconds();
    reader.askedAt = undefined;
    const atMilliseconds = (askedAt + nowMilliseconds()) / 2;
    for (const { dev = "", kind, bytes = 0, packets = 0 } of JSON.parse(line) as Counter[]) {
      const resource = reader.resources.get(dev);
      if (resource === undefined || kind !== "tbf") continue;
      this.#samples.get(resource)?.push({ atMilliseconds, bytes, packets });
    }
  }
}
