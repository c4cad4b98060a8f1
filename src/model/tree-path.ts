/**
 * Paths inside a file set, and links that stay inside it.
 *
 * A file set comes from somebody else. Whatever its manifest says, nothing may be written or, through a link, read
 * outside the folder that it is put in.
 */
import { UserError } from "../std/errors.ts";
import { utf8Length } from "../std/utf8.ts";
import { maximumLinkDepth, maximumLinkTargetBytes, maximumPathBytes, maximumPathPartBytes } from "./limits.ts";

const shownCharacters = 200;

/** Returns `path`. Throws UserError, naming it and saying why, unless it is a plain relative path with "/" between its parts. */
export function checkTreePath(path: string): string {
  const problem = pathProblem(path);
  if (problem !== undefined) throw new UserError(`the path ${shown(path)} ${problem}`);
  return path;
}

/** Returns `target`. Throws UserError unless it could be a link's target at all; `linkStaysInside` says whether it may be. */
export function checkLinkTarget(path: string, target: string): string {
  const lengthBytes = lengthOf(target);
  const problem =
    target === ""
      ? "is empty"
      : target.includes("\0")
        ? "holds a NUL character"
        : lengthBytes === undefined
          ? "is not valid Unicode"
          : lengthBytes > maximumLinkTargetBytes
            ? `is longer than ${String(maximumLinkTargetBytes)} bytes`
            : undefined;
  if (problem !== undefined) throw new UserError(`the target of the link ${shown(path)} ${problem}`);
  return target;
}

/**
 * Whether the link at `linkPath` (a checked tree path, not below another link) with the target `target` never leaves the
 * root, not even on its way: resolved part by part as the kernel does, through other links of the tree as `lookupLink`
 * gives them (the target of a path that is a link, else undefined). A target that does not exist, and a loop, stay inside.
 */
export function linkStaysInside(
  linkPath: string,
  target: string,
  lookupLink: (path: string) => string | undefined,
): boolean {
  if (target.startsWith("/")) return false;
  const position = linkPath.split("/").slice(0, -1);
  // What is still to be walked, the next part last.
  const pending = target.split("/").reverse();
  let followed = 1;
  for (;;) {
    const part = pending.pop();
    if (part === undefined) return true;
    if (part === "" || part === ".") continue;
    if (part === "..") {
      if (position.pop() === undefined) return false;
      continue;
    }
    position.push(part);
    const next = lookupLink(position.join("/"));
    if (next === undefined) continue;
    followed += 1;
    // The kernel gives up here too: nobody gets any further.
    if (followed > maximumLinkDepth) return true;
    if (next.startsWith("/")) return false;
    position.pop();
    for (const later of next.split("/").reverse()) pending.push(later);
  }
}

/**
 * Whether the answer of `linkStaysInside` depends on other links: there is a ".." behind a name. Otherwise no other
 * link, as long as each stays inside by itself, can lead this one out.
 */
export function linkDependsOnOthers(target: string): boolean {
  let nameSeen = false;
  for (const part of target.split("/")) {
    if (part === "..") {
      if (nameSeen) return true;
    } else if (part !== "" && part !== ".") {
      nameSeen = true;
    }
  }
  return false;
}

function pathProblem(path: string): string | undefined {
  if (path === "") return "is empty";
  if (path.startsWith("/")) return "is absolute";
  if (path.includes("\0")) return "holds a NUL character";
  const lengthBytes = lengthOf(path);
  if (lengthBytes === undefined) return "is not valid Unicode";
  if (lengthBytes > maximumPathBytes) return `is longer than ${String(maximumPathBytes)} bytes`;
  for (const part of path.split("/")) {
    if (part === "") return "has an empty part";
    if (part === "." || part === "..") return `has a part ${JSON.stringify(part)}`;
    if (part.length * 3 > maximumPathPartBytes && utf8Length(part) > maximumPathPartBytes) {
      return `has a part longer than ${String(maximumPathPartBytes)} bytes`;
    }
  }
  return undefined;
}

function lengthOf(text: string): number | undefined {
  try {
    return utf8Length(text);
  } catch {
    return undefined;
  }
}

function shown(path: string): string {
  return JSON.stringify(path.length > shownCharacters ? `${path.slice(0, shownCharacters)}…` : path);
}
