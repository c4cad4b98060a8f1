/**
 * Addresses as people and programs write them: `HOST:PORT`, an IPv6 host in brackets (`[::1]:8080`).
 */
import { UserError } from "../std/errors.ts";

/** Where to connect to or to listen on; `host` has no brackets. */
export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

const addressPattern = /^(?:\[([0-9A-Fa-f:.]+(?:%[0-9A-Za-z._-]+)?)\]|([^\s:/[\]@?#]{1,255})):([0-9]{1,5})$/;
const maximumPort = 65_535;

/**
 * Reads `HOST:PORT`.
 * @param what what the address is for, to name it in the error, for example `--listen`
 * @throws UserError when it has another form
 */
export function parseAddress(text: string, what: string = "the address"): HostAndPort {
  const match = addressPattern.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port > maximumPort) {
    throw new UserError(`${what} must be HOST:PORT, not ${JSON.stringify(text.slice(0, 300))}`, {
      hint: "for example 127.0.0.1:7700, or [::1]:7700 for IPv6",
    });
  }
  return { host, port };
}

/** `HOST:PORT`, with brackets around an IPv6 host. */
export function formatAddress({ host, port }: HostAndPort): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
