/** Removes everything that a build made, so that the next one starts from nothing. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "./lib.mjs";

rmSync(join(repositoryRoot, "dist"), { recursive: true, force: true });
