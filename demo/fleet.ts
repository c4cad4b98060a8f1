/** The fleet of the demonstration: a controller, three sites with declared links, three agents in each. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { stringify } from "yaml";
import { ControllerClient } from "#src/cli/controller-client.ts";
import { parseTopology } from "#src/model/topology.ts";
import type { Topology } from "#src/model/topology.ts";
import { UserError } from "#src/std/errors.ts";
import type { Program, Programs } from "./programs.ts";

export const sites: readonly string[] = ["fra", "iad", "sin"];
/** Where the publisher is. */
export const publisherSite = "fra";
const agentsPerSite = 3;
const onlineTimeoutMilliseconds = 30_000;
const connectTimeoutMilliseconds = 3_000;

/**
 * In the grammar of docs/topology.md. The links between sites are what is scarce; they are chosen so that nine agents,
 * their controller and the publisher are not held up by two cores.
 */
const topologyObject = {
  sites: {
    fra: { uplink: "120Mbps", downlink: "120Mbps" },
    iad: { uplink: "120Mbps", downlink: "120Mbps" },
    sin: { uplink: "80Mbps", downlink: "100Mbps" },
  },
  defaults: { nic: { up: "800Mbps", down: "800Mbps" } },
};

export const topology: Topology = parseTopology(topologyObject);

export interface FleetAgent {
  readonly name: string;
  readonly site: string;
  readonly dataDirectory: string;
}

export interface Fleet {
  readonly url: string;
  readonly client: ControllerClient;
  readonly agents: readonly FleetAgent[];
  /** All that must not end before they are told to. */
  readonly programs: readonly Program[];
}

/** Starts all of it below `directory`. @throws UserError when one of them does not start, or does not find the controller */
export async function startFleet(programs: Programs, directory: string, signal: AbortSignal): Promise<Fleet> {
  const topologyFile = join(directory, "topology.yaml");
  writeFileSync(topologyFile, stringify(topologyObject));
  const controller = programs.sluice("controller", [
    "controller",
    ...["--data", join(directory, "controller"), "--listen", "127.0.0.1:0", "--topology", topologyFile],
  ]);
  const url = await programs.listening(controller);
  const agents = sites.flatMap((site) =>
    Array.from({ length: agentsPerSite }, (_, index) => {
      const name = `${site}-${index}`;
      return { name, site, dataDirectory: join(directory, "agents", name) };
    }),
  );
  const agentPrograms = agents.map(({ name, site, dataDirectory }) =>
    programs.sluice(name, [
      ...["agent", "--controller", url, "--data", dataDirectory],
      ...["--name", name, "--site", site, "--listen", "127.0.0.1:0"],
    ]),
  );
  await Promise.all(agentPrograms.map(async (program) => programs.listening(program)));
  const client = new ControllerClient({ url, connectTimeoutMilliseconds });
  const fleet = { url, client, agents, programs: [controller, ...agentPrograms] };
  for (const giveUpAt = performance.now() + onlineTimeoutMilliseconds; ;) {
    signal.throwIfAborted();
    programs.check(fleet.programs);
    const { online } = (await client.status()).agents;
    if (online === agents.length) return fleet;
    if (performance.now() > giveUpAt) {
      throw new UserError(`only ${online} of ${agents.length} agents have reached the controller`);
    }
    await pause(50);
  }
}
