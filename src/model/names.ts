/**
 * Names of file sets, versions, agents, sites and resources.
 *
 * All follow one pattern, so that each can stand in a path, a URL, a resource name and a selector without quoting.
 */
import { z } from "zod";
import { UserError } from "../std/errors.ts";
import { maximumNameLength } from "./limits.ts";

const pattern = new RegExp(`^[A-Za-z0-9][A-Za-z0-9._-]{0,${String(maximumNameLength - 1)}}$`);

/** What a name must look like, for messages. */
export const nameRule = `1 to ${String(maximumNameLength)} letters, digits, dots, hyphens or underscores, the first a letter or digit`;

/** The version name that is taken: the link to the version in use. */
const reservedVersion = "current";

const name = () => z.string().regex(pattern, nameRule);
export const fileSetNameSchema = name();
export const versionSchema = name().refine((version) => version !== reservedVersion, {
  message: `"${reservedVersion}" is the link to the version in use`,
});
export const agentNameSchema = name();
export const siteNameSchema = name();

/** Whether `text` follows the pattern of names. */
export function isName(text: string): boolean {
  return pattern.test(text);
}

/** Returns `name`. Throws UserError unless it follows the pattern. */
export function checkFileSetName(name: string): string {
  return checkName(name, "a file set");
}

/** Returns `version`. Throws UserError unless it follows the pattern, and for "current". */
export function checkVersion(version: string): string {
  if (version === reservedVersion) {
    throw new UserError(`"${reservedVersion}" cannot be a version: it is the link to the version in use`, {
      hint: "choose another version name",
    });
  }
  return checkName(version, "a version");
}

/** Returns `name`. Throws UserError unless it follows the pattern. */
export function checkAgentName(name: string): string {
  return checkName(name, "an agent");
}

/** Returns `name`. Throws UserError unless it follows the pattern. */
export function checkSiteName(name: string): string {
  return checkName(name, "a site");
}

function checkName(name: string, what: string): string {
  if (pattern.test(name)) return name;
  const shown = JSON.stringify(name.length > maximumNameLength ? `${name.slice(0, maximumNameLength)}…` : name);
  throw new UserError(`${shown} cannot be the name of ${what}`, { hint: `use ${nameRule}` });
}
