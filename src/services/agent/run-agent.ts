/**
 * The agent's program: it wires the state machine to its disk, its block streams, its controller and its clock, and adds
 * no decision of its own. One port: other agents and publishers come in by upgrade; see answer-request.ts for the rest.
 */
import { hostname } from "node:os";
import { AgentCore } from "../../control/agent/agent-core.ts";
import { accept, refuse } from "../../platform/accept.ts";
import type { Accepting } from "../../platform/accept.ts";
import { formatAddress } from "../../platform/address.ts";
import type { HostAndPort } from "../../platform/address.ts";
import type { StoreContents } from "../../platform/agent-store/agent-store.ts";
import { parseControllerUrl } from "../../platform/channel.ts";
import { hash } from "../../platform/hashing.ts";
import type { Logger } from "../../platform/log.ts";
import { programVersion } from "../../platform/program-version.ts";
import { checkAgentName, checkSiteName } from "../../model/names.ts";
import { answerRequest } from "./answer-request.ts";
import { AgentProgram } from "./agent-program.ts";
import type { AgentStorePort } from "./agent-store-port.ts";

export interface AgentProgramOptions {
  readonly controllerUrl: string;
  readonly name: string;
  readonly site: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly listen: HostAndPort;
  /** Where other agents reach it; left out: where it listens, by the host's name if that is every address. */
  readonly advertise?: HostAndPort | undefined;
  readonly keepFreeBytes: number;
  /** Left out: what the controller says. */
  readonly keepVersions?: number | undefined;
  readonly store: AgentStorePort;
  readonly logger: Logger;
}

export interface RunningAgent {
  /** `http://HOST:PORT` with the port that was chosen. */
  readonly url: string;
  /** Resolves when it was stopped; rejects when it had to stop: the controller refuses it for good, or a defect. */
  readonly stopped: Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts an agent: its data is open and its port bound when this resolves. The controller need not be there.
 * @throws UserError for whatever is in the way: a name that is none, data or a port in use
 */
export async function startAgent(given: AgentProgramOptions): Promise<RunningAgent> {
  checkAgentName(given.name);
  // Every line says whose it is: logs of many agents end up in one place.
  const options = { ...given, logger: given.logger.child({ agent: given.name }) };
  checkSiteName(options.site);
  parseControllerUrl(options.controllerUrl);
  const contents = await options.store.open();
  let accepting: Accepting | undefined;
  try {
    const standing: { program?: AgentProgram } = {};
    accepting = await accept({
      ...options.listen,
      onRequest: (request, response) => void answerRequest(request, response, standing.program),
      upgrades: {
        "sluice-blocks": (request, socket, head) => {
          if (standing.program === undefined) refuse(socket, 503, "this agent is starting");
          else standing.program.upgrade(request, socket, head);
        },
      },
    });
    const program = makeProgram(options, contents, accepting);
    standing.program = program;
    program.begin(contents);
    return program;
  } catch (error) {
    await accepting?.close();
    await options.store.close();
    throw error;
  }
}

function makeProgram(options: AgentProgramOptions, contents: StoreContents, accepting: Accepting): AgentProgram {
  const { name, site, labels, keepVersions, store } = options;
  const address = formatAddress(options.advertise ?? advertised(options.listen, accepting.address));
  const { agentId } = store.identity;
  const core = new AgentCore({
    identity: { agentId, name, site, labels, address, programVersion: programVersion() },
    ports: { hash },
    ...(keepVersions === undefined ? {} : { keepVersions }),
  });
  options.logger.info({ site, agentId, address, fileSets: contents.stored.length }, "agent started");
  return new AgentProgram(options, core, accepting);
}

/** An address that others can dial: every address of this host is none. */
function advertised(listen: HostAndPort, bound: HostAndPort): HostAndPort {
  const isEvery = bound.host === "0.0.0.0" || bound.host === "::";
  return { host: isEvery ? hostname() : listen.host, port: bound.port };
}
