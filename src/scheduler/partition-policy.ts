/**
 * Partition scheduling (claims 7, 36): each site, or each named group of sites, is decided on by itself, from the resources
 * of that part alone and only when something has changed in it. The ways between parts are a step of their own, since a way
 * belongs to two of them: first into parts what they lack, and when all parts are done, whatever else idle targets can get.
 */
import type { BlockOrder } from "./block-order.ts";
import { CostPolicy } from "./cost-policy.ts";
import type { Matcher } from "./match.ts";
import type { Partitions } from "./modes.ts";
import type { Policy } from "./policy.ts";
import type { Member, Place } from "./world.ts";

interface Part {
  readonly policy: CostPolicy;
  /** Of these something has changed, in the decision under way. */
  members: Member[];
  places: Set<Place>;
}

export class PartitionPolicy implements Policy {
  readonly rescues = true;
  readonly #matcher: Matcher;
  readonly #partitions: Partitions;
  readonly #between: CostPolicy;
  readonly #parts = new Map<string, Part>();

  constructor(matcher: Matcher, partitions: Partitions) {
    this.#matcher = matcher;
    this.#partitions = partitions;
    this.#between = new CostPolicy(matcher, (from, to) => this.#nameOf(from.name) !== this.#nameOf(to.name));
  }

  forgetFindings(): void {
    this.#between.forgetFindings();
    for (const { policy } of this.#parts.values()) policy.forgetFindings();
  }

  serve(orders: readonly BlockOrder[], members: readonly Member[], places: ReadonlySet<Place>): void {
    const touched = this.#touched(members, places);
    const freed = this.#between.serveSites(orders, places);
    for (const { policy, members: own, places: ownPlaces } of touched) {
      // A site that is a part by itself has no ways within it.
      const again = ownPlaces.size > 0 ? policy.serveSites(orders, ownPlaces) : [];
      policy.serveWithin(orders, own, again);
    }
    for (const part of this.#touched(freed, new Set())) part.policy.serveWithin(orders, [], part.members);
    for (const { policy, members: own } of touched) policy.serveAgain(own);
    this.#between.serveAgain(members);
  }

  /** The parts in which something has changed. */
  #touched(members: readonly Member[], places: ReadonlySet<Place>): Part[] {
    const touched = new Set<Part>();
    const partOf = (site: string): Part => {
      const part = this.#part(this.#nameOf(site));
      if (!touched.has(part)) {
        part.members = [];
        part.places = new Set();
        touched.add(part);
      }
      return part;
    };
    for (const member of members) if (member.place !== undefined) partOf(member.place.name).members.push(member);
    for (const place of places) if (this.#partitions.has(place.name)) partOf(place.name).places.add(place);
    return [...touched];
  }

  #part(name: string): Part {
    let part = this.#parts.get(name);
    if (part === undefined) {
      const isWithin = (place: Place): boolean => this.#nameOf(place.name) === name;
      part = {
        policy: new CostPolicy(this.#matcher, (from, to) => isWithin(from) && isWithin(to)),
        members: [],
        places: new Set(),
      };
      this.#parts.set(name, part);
    }
    return part;
  }

  /** A site's own name cannot be that of a named part: these have a sign in front that no site has. */
  #nameOf(site: string): string {
    const part = this.#partitions.get(site);
    return part === undefined ? site : `=${part}`;
  }
}
