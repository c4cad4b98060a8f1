/** What `sluice controller` does: starts it, says where it listens, and stops it in good order when told to. */
import { randomInt } from "node:crypto";
import { ControllerCore } from "../../control/controller/controller-core.ts";
import type { ControllerSettings } from "../../control/controller/settings.ts";
import { hash } from "../../platform/hashing.ts";
import { nativeTickets } from "../../platform/native-tickets.ts";
import { createLogger } from "../../platform/log.ts";
import { startController } from "../../services/controller/run-controller.ts";
import { schedulingSettings } from "../scheduling-options.ts";
import type { ControllerProgramFlags } from "./controller.ts";

/** Seeds are drawn below this. */
const seedLimit = 2 ** 32;

/** Runs until it is stopped. @throws UserError when it cannot start or has to stop */
export async function runController(flags: ControllerProgramFlags): Promise<void> {
  const settings = { ...settingsOf(flags), ...(await schedulingSettings(flags)) };
  const controller = await startController({
    dataDirectory: flags.data,
    listen: flags.listen,
    topologyFile: flags.topology,
    createMachine: () =>
      new ControllerCore({ ports: { hash, tickets: nativeTickets, seed: randomInt(seedLimit) }, settings }),
    logger: createLogger({ program: "controller", level: flags.logLevel }),
  });
  process.on("SIGHUP", () => void controller.reloadTopology());
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void controller.stop());
  process.stdout.write(`listening on ${controller.url}\n`);
  await controller.stopped;
}

/** The settings that flags were given for; the rest keep their defaults. */
function settingsOf(flags: ControllerProgramFlags): Partial<ControllerSettings> {
  const given: [keyof ControllerSettings, number | string | undefined][] = [
    ["outOfUseAfter", flags.outOfUseAfter],
    ["retryMilliseconds", flags.retry],
    ["keepVersions", flags.keepVersions],
    ["challengeIntervalMilliseconds", flags.verifyInterval],
    ["heartbeatMilliseconds", flags.heartbeat],
    ["stallMilliseconds", flags.stall],
    ["publisherGoneMilliseconds", flags.publisherTimeout],
    ["recoveryMilliseconds", flags.recovery],
    ["receivers", flags.receivers],
    ["relays", flags.relays],
  ];
  return Object.fromEntries(given.filter(([, value]) => value !== undefined));
}
