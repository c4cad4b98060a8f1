/** What the `sluice topology` commands do. */
import { maximumTopologyBytes, parseTopologyText, readTopologyFile } from "../../platform/yaml-topology.ts";
import { UserError } from "../../std/errors.ts";
import { connectController } from "../controller-options.ts";
import type { ControllerOptions } from "../controller-options.ts";
import { print } from "../output.ts";

export async function showTopology(options: ControllerOptions): Promise<void> {
  const client = await connectController(options);
  if (options.json) {
    print(true, await client.topology(), () => "");
    return;
  }
  const text = await client.topologyText();
  process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
}

/** It is read here first, so that mistakes are told with the file's name, and the controller is not asked for nothing. */
export async function applyTopology(file: string, options: ControllerOptions): Promise<void> {
  const text = file === "-" ? await readStandardInput() : (await readTopologyFile(file)).text;
  if (file === "-") parseTopologyText(text, "standard input");
  const view = await (await connectController(options)).applyTopology(text);
  print(options.json, view, () => `${view.done}\n`);
}

async function readStandardInput(): Promise<string> {
  const parts: Buffer[] = [];
  let lengthBytes = 0;
  for await (const part of process.stdin as AsyncIterable<Buffer>) {
    parts.push(part);
    lengthBytes += part.length;
    if (lengthBytes > maximumTopologyBytes) {
      throw new UserError(`the topology has more than ${maximumTopologyBytes} bytes`);
    }
  }
  return Buffer.concat(parts).toString();
}
