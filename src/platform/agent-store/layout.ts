/**
 * Where everything stands in an agent's data directory. Only this file knows the names.
 *
 *   filesets/NAME/VERSION/...        plain files, as they were published
 *   filesets/NAME/current            a link to the active version
 *   state/                           identity.json, document.json, format.json, lock
 *   state/manifests/NAME/VERSION.manifest
 *   state/held/NAME/VERSION.journal  what of it is held
 *   staging/growing/NAME/VERSION/FILE-BLOCK   blocks of growing files that came before their turn
 *   staging/deleted-*                on its way out
 */
import { join } from "node:path";
import type { FileSetKey } from "../../protocol/parts.ts";

export const currentName = "current";
export const manifestSuffix = ".manifest";
export const journalSuffix = ".journal";

/** The two parts of NAME@VERSION. */
export function splitFileSetKey(key: FileSetKey): { name: string; version: string } {
  const at = key.indexOf("@");
  return { name: key.slice(0, at), version: key.slice(at + 1) };
}

export class DataLayout {
  readonly data: string;
  readonly fileSets: string;
  readonly state: string;
  readonly staging: string;
  readonly growing: string;
  readonly manifests: string;
  readonly held: string;
  readonly identity: string;
  readonly document: string;
  readonly format: string;

  constructor(data: string) {
    this.data = data;
    this.fileSets = join(data, "filesets");
    this.state = join(data, "state");
    this.staging = join(data, "staging");
    this.growing = join(this.staging, "growing");
    this.manifests = join(this.state, "manifests");
    this.held = join(this.state, "held");
    this.identity = join(this.state, "identity.json");
    this.document = join(this.state, "document.json");
    this.format = join(this.state, "format.json");
  }

  /** NAME's directory, with a directory for each version. */
  named(name: string): string {
    return join(this.fileSets, name);
  }

  current(name: string): string {
    return join(this.fileSets, name, currentName);
  }

  /** The root of a file set's own tree. */
  tree(key: FileSetKey): string {
    const { name, version } = splitFileSetKey(key);
    return join(this.fileSets, name, version);
  }

  manifest(key: FileSetKey): string {
    const { name, version } = splitFileSetKey(key);
    return join(this.manifests, name, version + manifestSuffix);
  }

  journal(key: FileSetKey): string {
    const { name, version } = splitFileSetKey(key);
    return join(this.held, name, version + journalSuffix);
  }

  /** Where blocks of growing files wait for the ones before them. */
  waiting(key: FileSetKey): string {
    const { name, version } = splitFileSetKey(key);
    return join(this.growing, name, version);
  }

  waitingBlock(key: FileSetKey, fileIndex: number, block: number): string {
    return join(this.waiting(key), `${fileIndex}-${block}`);
  }
}
