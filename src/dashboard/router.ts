/** Pages by the part of the address behind `#`: `#/agents/fra-0`. A link is a link, and the back button works. */
import { signal } from "@preact/signals";

export type Route =
  | { readonly page: "overview" }
  | { readonly page: "fileSets" }
  | { readonly page: "fileSet"; readonly fileSet: string }
  | { readonly page: "agents"; readonly selector: string }
  | { readonly page: "agent"; readonly agent: string }
  | { readonly page: "resources" }
  | { readonly page: "resource"; readonly resource: string }
  | { readonly page: "transfers" }
  | { readonly page: "unknown" };

/** What an address stands for. */
export function parseRoute(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const parts = path.split("/").filter((part) => part !== "");
  const [page, about, ...rest] = parts.map(decode);
  if (rest.length > 0) return { page: "unknown" };
  if (about === undefined) {
    switch (page) {
      case undefined:
        return { page: "overview" };
      case "filesets":
        return { page: "fileSets" };
      case "agents":
        return { page, selector: new URLSearchParams(query).get("selector") ?? "" };
      case "resources":
      case "transfers":
        return { page };
      default:
        return { page: "unknown" };
    }
  }
  if (page === "filesets") return { page: "fileSet", fileSet: about };
  if (page === "agents") return { page: "agent", agent: about };
  if (page === "resources") return { page: "resource", resource: about };
  return { page: "unknown" };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export const fileSetHref = (fileSet: string): string => `#/filesets/${encodeURIComponent(fileSet)}`;
/** All agents, or those that a selector names. */
export const agentsHref = (selector: string): string => `#/agents?selector=${encodeURIComponent(selector)}`;
export const agentHref = (agent: string): string => `#/agents/${encodeURIComponent(agent)}`;
export const resourceHref = (resource: string): string => `#/resources/${encodeURIComponent(resource)}`;

export const route = signal<Route>({ page: "overview" });

/** Lets `route` follow the address. */
export function followAddress(): void {
  const update = (): void => {
    route.value = parseRoute(location.hash);
    window.scrollTo(0, 0);
  };
  window.addEventListener("hashchange", update);
  update();
}
