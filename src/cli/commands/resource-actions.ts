/** What the verbs of `sluice resource` do. */
import { formatBitsPerSecond, formatBytes } from "../../std/units.ts";
import type { ResourceView } from "../../protocol/views.ts";
import { connectController } from "../controller-options.ts";
import type { ControllerOptions } from "../controller-options.ts";
import { formatShare, print } from "../output.ts";
import { formatTable } from "../table.ts";
import type { Column } from "../table.ts";

/** The columns that every list of resources has. */
export const resourceColumns: readonly Column<ResourceView>[] = [
  { title: "RESOURCE", cell: ({ resource }) => resource },
  {
    title: "CAPABILITY",
    align: "right",
    cell: ({ capabilityBitsPerSecond: capability }) =>
      capability === null ? "no limit" : formatBitsPerSecond(capability),
  },
  { title: "ALLOCATED", align: "right", cell: (view) => formatBitsPerSecond(view.allocatedBitsPerSecond) },
  {
    title: "USE",
    align: "right",
    cell: (view) => formatShare(view.allocatedBitsPerSecond, view.capabilityBitsPerSecond ?? 0),
  },
  { title: "MEASURED", align: "right", cell: (view) => formatBitsPerSecond(view.measuredBitsPerSecond) },
  { title: "CARRIED", align: "right", cell: ({ carriedBytes }) => formatBytes(carriedBytes) },
  { title: "FAILURES", align: "right", cell: ({ failures }) => String(failures) },
  {
    title: "STATE",
    cell: ({ outOfUse, reason }) => [outOfUse ? "out of use" : "", reason ?? ""].filter((text) => text).join(": "),
  },
];

export async function listResources(options: ControllerOptions): Promise<void> {
  const resources = await (await connectController(options)).resources();
  print(options.json, resources, () => formatTable(resourceColumns, resources, "no resources"));
}

export async function putBackResource(name: string, options: ControllerOptions): Promise<void> {
  const view = await (await connectController(options)).putBack(name);
  print(options.json, view, () => `${view.done}\n`);
}
