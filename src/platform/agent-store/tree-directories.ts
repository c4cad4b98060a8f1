/** The directories of a tree: those that a manifest lists, and those that its paths imply. */
import type { DirectoryEntry } from "../../model/manifest.ts";

/** Of directories that are implied but not listed. */
export const impliedDirectoryMode = 0o755;

export interface TreeDirectory {
  readonly path: string;
  readonly mode: number;
  /** Undefined: nothing is said about it. */
  readonly modifiedMilliseconds: number | undefined;
}

/** All directories of the tree but its root, each one after those that it is in. */
export function directoriesOf(tree: {
  readonly directories: readonly DirectoryEntry[];
  readonly files: readonly { readonly path: string }[];
  readonly links: readonly { readonly path: string }[];
}): TreeDirectory[] {
  const listed = new Map(tree.directories.map((directory) => [directory.path, directory]));
  const all = new Map<string, TreeDirectory>();
  const add = (path: string): void => {
    if (all.has(path)) return;
    const slash = path.lastIndexOf("/");
    if (slash >= 0) add(path.slice(0, slash));
    const { mode, modifiedMilliseconds } = listed.get(path) ?? {
      mode: impliedDirectoryMode,
      modifiedMilliseconds: undefined,
    };
    all.set(path, { path, mode, modifiedMilliseconds });
  };
  for (const { path } of tree.directories) add(path);
  for (const entries of [tree.files, tree.links]) {
    for (const { path } of entries) {
      const slash = path.lastIndexOf("/");
      if (slash >= 0) add(path.slice(0, slash));
    }
  }
  return [...all.values()];
}
