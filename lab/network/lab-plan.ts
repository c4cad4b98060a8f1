/**
 * The network of a lab, worked out before anything is made: which namespaces there are, what joins them, which device
 * stands for which resource of the topology.
 *
 *   host --eth0-- hN [bridge lan] router of the site --wan-- sN core --- sN ... the other sites
 *                                                            |  |
 *                                       controller --eth0-- ctl  rN -- link by name -- bN (back to the core)
 *
 * What a host sends is limited at its eth0, what it receives at the router's hN; a site's uplink at the router's wan, its
 * downlink at the core's sN; a link by name at the core's rN: packets of the paths that use it go through a namespace of
 * its own, one link after another. Packets that are to be late go through a TUN device of the core first.
 */
import { agentNicDown, agentNicUp, namedResource, siteDownlink, siteUplink } from "#src/model/resources.ts";
import type { Topology } from "#src/model/topology.ts";
import type { Scenario, ScenarioAgent } from "#src/simulator/scenario.ts";
import { UserError } from "#src/std/errors.ts";
import { countingBitsPerSecond, maximumLabHosts, maximumLabLinks, maximumLabSites } from "./limits.ts";
import { shapeDevice } from "./shaping.ts";

export interface LabNetwork {
  readonly scenario: Pick<Scenario, "topology" | "agents" | "controlDelayNanoseconds" | "dataDelayNanoseconds">;
  /** Whether the kernel limits anything. */
  readonly shaped: boolean;
}

export interface LabHost {
  readonly name: string;
  readonly site: string;
  readonly namespace: string;
  readonly address: string;
}

/** The device whose sending a resource is. */
export interface ResourceDevice {
  readonly resource: string;
  readonly namespace: string;
  readonly device: string;
}

/** Packets through this TUN device of a namespace come back so much later. */
export interface DelayDevice {
  readonly namespace: string;
  readonly device: string;
  readonly delayNanoseconds: number;
}

/** What is to be done in a namespace: lines for `ip -batch`, `tc -batch`, and settings of the kernel. */
export interface NamespacePlan {
  readonly name: string;
  readonly routes: boolean;
  readonly ip: string[];
  /** Once the devices that delay packets are there. */
  readonly ipAfterDelays: string[];
  readonly tc: string[];
  /** Carries multicast between sites, where a tool wants that. */
  readonly tcForMulticast: string[];
}

export interface LabPlan {
  readonly namespaces: readonly NamespacePlan[];
  /** Lines for `ip -batch` outside of all namespaces: the pairs of devices that join them. */
  readonly links: readonly string[];
  /** The agents of the race, then the controller. */
  readonly hosts: readonly LabHost[];
  readonly controller: LabHost;
  readonly devices: readonly ResourceDevice[];
  readonly delays: readonly DelayDevice[];
}

/** What the controller's host is called. */
export const controllerHost = "controller";

const dataDelayDevice = "delaydata";
const controlDelayDevice = "delayctl";
const dataDelayTable = 900;
const controlDelayTable = 901;
const firstLinkTable = 1_000;
const delayRulePriority = 100;
const linkRulePriority = 200;
const everyHost = "10.0.0.0/8";
const controllerNetwork = "172.30.0.0/30";

/** @param prefix what the names of all namespaces begin with @throws UserError when the lab would be too large */
export function planLab(network: LabNetwork, prefix: string): LabPlan {
  return new Planner(network, prefix).plan();
}

class Planner {
  readonly #network: LabNetwork;
  readonly #topology: Topology;
  readonly #prefix: string;
  readonly #namespaces: NamespacePlan[] = [];
  readonly #links: string[] = [];
  readonly #hosts: LabHost[] = [];
  readonly #devices: ResourceDevice[] = [];
  readonly #delays: DelayDevice[] = [];
  readonly #core: NamespacePlan;
  readonly #siteNumbers: ReadonlyMap<string, number>;

  constructor(network: LabNetwork, prefix: string) {
    this.#network = network;
    this.#topology = network.scenario.topology;
    this.#prefix = prefix;
    const sites = [...new Set(network.scenario.agents.map(({ site }) => site))];
    this.#siteNumbers = new Map(sites.map((site, number) => [site, number]));
    checkSize("sites", sites.length, maximumLabSites);
    checkSize("hosts", network.scenario.agents.length, maximumLabHosts);
    checkSize("links by name", this.#topology.resources.size, maximumLabLinks);
    this.#core = this.#namespace("core-", true);
  }

  plan(): LabPlan {
    for (const [site, number] of this.#siteNumbers) this.#addSite(site, number);
    const controller = this.#addController();
    this.#addDelays();
    this.#addPaths();
    this.#carryMulticast();
    return {
      namespaces: this.#namespaces,
      links: this.#links,
      hosts: [...this.#hosts, controller],
      controller,
      devices: this.#devices,
      delays: this.#delays,
    };
  }

  /** No name of a host ends with a dash and has what these end with, so that none is taken twice. */
  #namespace(name: string, routes: boolean): NamespacePlan {
    const ip = ["link set lo up"];
    const plan: NamespacePlan = {
      name: `${this.#prefix}${name}`,
      routes,
      ip,
      ipAfterDelays: [],
      tc: [],
      tcForMulticast: [],
    };
    this.#namespaces.push(plan);
    return plan;
  }

  #join(one: NamespacePlan, oneDevice: string, other: NamespacePlan, otherDevice: string): void {
    this.#links.push(
      `link add name ${oneDevice} netns ${one.name} type veth peer name ${otherDevice} netns ${other.name}`,
    );
    one.ip.push(`link set ${oneDevice} up`);
    other.ip.push(`link set ${otherDevice} up`);
  }

  #limit(namespace: NamespacePlan, device: string, resource: string, bitsPerSecond: number | undefined): void {
    const rate = this.#network.shaped ? bitsPerSecond : undefined;
    const isOfAgent = resource.startsWith("agents.");
    if (rate === undefined && isOfAgent) return;
    namespace.tc.push(shapeDevice(device, rate ?? countingBitsPerSecond));
    this.#devices.push({ resource, namespace: namespace.name, device });
  }

  #addSite(site: string, number: number): void {
    const router = this.#namespace(`router-${number}-`, true);
    const core = this.#core;
    const network = `10.${number + 1}`;
    router.ip.push("link add name lan type bridge", "link set lan up", `addr add ${network}.0.1/16 dev lan`);
    this.#join(router, "wan", core, `s${number}`);
    router.ip.push(`addr add 172.31.${number}.2/30 dev wan`, `route add default via 172.31.${number}.1`);
    core.ip.push(
      `addr add 172.31.${number}.1/30 dev s${number}`,
      `route add ${network}.0.0/16 via 172.31.${number}.2 dev s${number}`,
    );
    const capability = this.#topology.sites.get(site);
    this.#limit(router, "wan", siteUplink(site), capability?.uplinkBitsPerSecond);
    this.#limit(core, `s${number}`, siteDownlink(site), capability?.downlinkBitsPerSecond);
    const members = this.#network.scenario.agents.filter((agent) => agent.site === site);
    for (const [member, agent] of members.entries()) this.#addHost(router, agent, network, member);
  }

  #addHost(router: NamespacePlan, agent: ScenarioAgent, network: string, member: number): void {
    const host = this.#namespace(agent.name, false);
    const device = `h${member}`;
    const place = member + 2;
    const address = `${network}.${Math.floor(place / 256)}.${place % 256}`;
    this.#join(host, "eth0", router, device);
    router.ip.push(`link set ${device} master lan`);
    host.ip.push(`addr add ${address}/16 dev eth0`, `route add default via ${network}.0.1`);
    const nic = this.#topology.nicOf(agent);
    this.#limit(host, "eth0", agentNicUp(agent.name), nic.upBitsPerSecond);
    this.#limit(router, device, agentNicDown(agent.name), nic.downBitsPerSecond);
    this.#hosts.push({ name: agent.name, site: agent.site, namespace: host.name, address });
  }

  #addController(): LabHost {
    const controller = this.#namespace("controller-", false);
    this.#join(controller, "eth0", this.#core, "ctl");
    controller.ip.push("addr add 172.30.0.2/30 dev eth0", "route add default via 172.30.0.1");
    this.#core.ip.push("addr add 172.30.0.1/30 dev ctl");
    return { name: controllerHost, site: "", namespace: controller.name, address: "172.30.0.2" };
  }

  #addDelays(): void {
    const { dataDelayNanoseconds, controlDelayNanoseconds } = this.#network.scenario;
    const { name: namespace, ipAfterDelays } = this.#core;
    const rule = `rule add priority ${delayRulePriority}`;
    const add = (device: string, table: number, delayNanoseconds: number): void => {
      this.#delays.push({ namespace, device, delayNanoseconds });
      ipAfterDelays.push(`link set ${device} up`, `route add default dev ${device} table ${table}`);
    };
    if (dataDelayNanoseconds > 0) {
      add(dataDelayDevice, dataDelayTable, dataDelayNanoseconds);
      for (const number of this.#siteNumbers.values()) {
        ipAfterDelays.push(`${rule} iif s${number} to ${everyHost} lookup ${dataDelayTable}`);
      }
    }
    if (controlDelayNanoseconds === 0) return;
    add(controlDelayDevice, controlDelayTable, controlDelayNanoseconds);
    ipAfterDelays.push(`${rule} iif ctl lookup ${controlDelayTable}`);
    for (const number of this.#siteNumbers.values()) {
      ipAfterDelays.push(`${rule} iif s${number} to ${controllerNetwork} lookup ${controlDelayTable}`);
    }
  }

  /** Leads packets from site to site through the links that their path names. */
  #addPaths(): void {
    const numbers = new Map([...this.#topology.resources.keys()].map((name, number) => [name, number]));
    for (const [name, number] of numbers) this.#addLink(name, number);
    const { ipAfterDelays } = this.#core;
    for (const { from, to, through } of this.#topology.paths) {
      const source = this.#siteNumbers.get(from);
      const target = this.#siteNumbers.get(to);
      if (source === undefined || target === undefined) continue;
      let entry = this.#network.scenario.dataDelayNanoseconds > 0 ? dataDelayDevice : `s${source}`;
      for (const name of through) {
        const number = numbers.get(name) ?? 0;
        ipAfterDelays.push(
          `rule add priority ${linkRulePriority} iif ${entry} from 10.${source + 1}.0.0/16 to 10.${target + 1}.0.0/16 ` +
            `lookup ${firstLinkTable + number}`,
        );
        entry = `b${number}`;
      }
    }
  }

  /**
   * Hands multicast on between sites as it is, once into each site; so it is shaped and counted like everything else, but
   * knows no delay and no link by name.
   */
  #carryMulticast(): void {
    const numbers = [...this.#siteNumbers.values()];
    if (numbers.length < 2) return;
    for (const number of numbers) {
      const router = this.#namespaces.find(({ name }) => name === `${this.#prefix}router-${number}-`);
      router?.tcForMulticast.push(...handMulticast("lan", ["wan"]), ...handMulticast("wan", ["lan"]));
      const others = numbers.filter((other) => other !== number).map((other) => `s${other}`);
      this.#core.tcForMulticast.push(...handMulticast(`s${number}`, others));
    }
  }

  #addLink(name: string, number: number): void {
    const core = this.#core;
    const link = this.#namespace(`link-${number}-`, true);
    this.#join(core, `r${number}`, link, "in");
    this.#join(link, "out", core, `b${number}`);
    core.ip.push(
      `addr add 172.29.${number}.1/30 dev r${number}`,
      `addr add 172.28.${number}.1/30 dev b${number}`,
      `route add default via 172.29.${number}.2 dev r${number} table ${firstLinkTable + number}`,
    );
    link.ip.push(
      `addr add 172.29.${number}.2/30 dev in`,
      `addr add 172.28.${number}.2/30 dev out`,
      `route add default via 172.28.${number}.1 dev out`,
    );
    this.#limit(core, `r${number}`, namedResource(name), this.#topology.resources.get(name));
  }
}

/** Copies of the multicast packets that come in at a device go out at others. */
function handMulticast(device: string, to: readonly string[]): string[] {
  const actions = to.map((other) => `action mirred egress mirror dev ${other}`).join(" ");
  return [
    `qdisc add dev ${device} ingress`,
    `filter add dev ${device} ingress protocol ip u32 match ip dst 224.0.0.0/4 ${actions}`,
  ];
}

function checkSize(what: string, count: number, most: number): void {
  if (count > most) throw new UserError(`the race has ${count} ${what}; the lab takes ${most} at most`);
}
