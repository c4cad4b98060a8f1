/** The version of these programs, as their package has it. */
import { readFileSync } from "node:fs";

/** Such as "0.1.0"; "unknown" where the package's description is not beside the programs. */
export function programVersion(): string {
  try {
    const path = new URL("../../package.json", import.meta.url);
    const description = JSON.parse(readFileSync(path, "utf8")) as { version?: unknown };
    return typeof description.version === "string" ? description.version : "unknown";
  } catch {
    return "unknown";
  }
}
