/**
 * Which links lie between two ends in one topology, in order from source to target. Looked up for every lane, so that what
 * lies between two sites is worked out once.
 */
import { agentNicDown, agentNicUp } from "../model/resources.ts";
import type { Topology } from "../model/topology.ts";
import type { Link } from "./flow.ts";
import type { PathEnd } from "./world-parts.ts";

export class WorldLinks {
  readonly #topology: Topology;
  readonly #links: ReadonlyMap<string, Link>;
  readonly #up = new Map<string, Link | undefined>();
  readonly #down = new Map<string, Link | undefined>();
  /** By the two sites. */
  readonly #middles = new Map<string, Map<string, readonly Link[]>>();

  /** @param links by name; all of the topology's resources have one */
  constructor(topology: Topology, links: ReadonlyMap<string, Link>) {
    this.#topology = topology;
    this.#links = links;
  }

  /** A source without a site is at the target's; one without a name has no interface of its own. */
  between(source: PathEnd, target: PathEnd): readonly Link[] {
    const path: Link[] = [];
    const up = source.name === undefined ? undefined : this.#nic(this.#up, source.name, "up");
    if (up !== undefined) path.push(up);
    const from = source.site ?? (source.name === undefined ? target.site : "");
    if (from !== target.site) path.push(...this.#middle(from ?? "", target.site ?? ""));
    const down = this.#nic(this.#down, target.name ?? "", "down");
    if (down !== undefined) path.push(down);
    return path;
  }

  /** An interface that this topology does not limit has no link, though it may have had one in an earlier topology. */
  #nic(known: Map<string, Link | undefined>, agent: string, direction: "up" | "down"): Link | undefined {
    if (!known.has(agent)) {
      const nic = this.#topology.nicOf({ name: agent, site: "" });
      const [limit, name] =
        direction === "up" ? [nic.upBitsPerSecond, agentNicUp(agent)] : [nic.downBitsPerSecond, agentNicDown(agent)];
      known.set(agent, limit === undefined ? undefined : this.#links.get(name));
    }
    return known.get(agent);
  }

  #middle(from: string, to: string): readonly Link[] {
    let row = this.#middles.get(from);
    if (row === undefined) {
      row = new Map();
      this.#middles.set(from, row);
    }
    let middle = row.get(to);
    if (middle === undefined) {
      const nowhere = { up: agentNicUp(""), down: agentNicDown("") };
      middle = this.#topology
        .pathResources({ name: "", site: from }, { name: "", site: to })
        .filter((name) => name !== nowhere.up && name !== nowhere.down)
        .flatMap((name) => this.#links.get(name) ?? []);
      row.set(to, middle);
    }
    return middle;
  }
}
