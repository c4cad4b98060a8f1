/**
 * Names of resources: everything that has a bandwidth capability.
 *
 * A site's way out and in, an agent's network interface in both directions, and links by name. The names in the middle
 * may contain dots themselves, so a resource's name is taken apart from both its ends.
 */
import { UserError } from "../std/errors.ts";
import { isName } from "./names.ts";

export type ResourceReference =
  | { readonly kind: "siteUplink"; readonly site: string }
  | { readonly kind: "siteDownlink"; readonly site: string }
  | { readonly kind: "agentNicUp"; readonly agent: string }
  | { readonly kind: "agentNicDown"; readonly agent: string }
  | { readonly kind: "link"; readonly name: string };

/** The way out of a site: "sites.fra.uplink". */
export function siteUplink(site: string): string {
  return `sites.${site}.uplink`;
}

/** The way into a site: "sites.fra.downlink". */
export function siteDownlink(site: string): string {
  return `sites.${site}.downlink`;
}

/** What an agent sends: "agents.fra-0.nic.up". */
export function agentNicUp(agent: string): string {
  return `agents.${agent}.nic.up`;
}

/** What an agent receives: "agents.fra-0.nic.down". */
export function agentNicDown(agent: string): string {
  return `agents.${agent}.nic.down`;
}

/** A link by its name: "resources.transatlantic". */
export function namedResource(name: string): string {
  return `resources.${name}`;
}

/** What a resource's name stands for. Throws UserError on any other text. */
export function parseResourceName(text: string): ResourceReference {
  const site = between(text, "sites.", ".uplink");
  if (site !== undefined) return { kind: "siteUplink", site };
  const siteIn = between(text, "sites.", ".downlink");
  if (siteIn !== undefined) return { kind: "siteDownlink", site: siteIn };
  const agent = between(text, "agents.", ".nic.up");
  if (agent !== undefined) return { kind: "agentNicUp", agent };
  const agentIn = between(text, "agents.", ".nic.down");
  if (agentIn !== undefined) return { kind: "agentNicDown", agent: agentIn };
  const name = between(text, "resources.", "");
  if (name !== undefined) return { kind: "link", name };
  throw new UserError(`${JSON.stringify(text.slice(0, 300))} is not the name of a resource`, {
    hint: "write sites.SITE.uplink, sites.SITE.downlink, agents.NAME.nic.up, agents.NAME.nic.down or resources.NAME",
  });
}

/** The name of a resource. */
export function formatResourceName(reference: ResourceReference): string {
  switch (reference.kind) {
    case "siteUplink":
      return siteUplink(reference.site);
    case "siteDownlink":
      return siteDownlink(reference.site);
    case "agentNicUp":
      return agentNicUp(reference.agent);
    case "agentNicDown":
      return agentNicDown(reference.agent);
    default:
      return namedResource(reference.name);
  }
}

/** The name between a prefix and a suffix, if both are there and it is a valid one. */
function between(text: string, prefix: string, suffix: string): string | undefined {
  if (!text.startsWith(prefix) || !text.endsWith(suffix)) return undefined;
  const name = text.slice(prefix.length, text.length - suffix.length);
  return isName(name) ? name : undefined;
}
