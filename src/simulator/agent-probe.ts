/** Makes a probe in the virtual world: fetches one block over the network, throws it away, and says whether it came. */
import type { AgentCommand } from "../control/agent/agent-events.ts";
import type { BlockOrderName, FailureKind } from "../protocol/parts.ts";
import { phases } from "./virtual-clock.ts";
import type { VirtualAgent } from "./virtual-agent.ts";
import { VirtualLane, type LaneSink } from "./virtual-lane.ts";

type ProbeCommand = Extract<AgentCommand, { type: "probe" }>;

export function startProbe(agent: VirtualAgent, command: ProbeCommand): void {
  const { world } = agent;
  const { lanes } = agent;
  let isOver = false;
  const answer = (failure: FailureKind | undefined): void => {
    if (isOver) return;
    isOver = true;
    lane.close();
    if (!lanes.isGone()) agent.post({ type: "probed", probeId: command.probeId, failure });
  };
  const sink: LaneSink = {
    name: agent.name,
    site: agent.site,
    blockLengthBytes: () => command.lengthBytes,
    verificationNanoseconds: (lengthBytes) => agent.verificationNanoseconds(lengthBytes),
    isGone: () => lanes.isGone(),
    received: (_lane, _fileSet, order: BlockOrderName, _block, lengthBytes) => {
      world.account.settle(order, lengthBytes, "probedBytes");
      answer(undefined);
    },
    laneFailed: (_lane, kind) => answer(kind),
  };
  const lane = new VirtualLane(world, command.lane.laneId, sink, command.lane.rateBitsPerSecond);
  const there = world.running.get(command.lane.holderId);
  world.clock.after(world.delayBetween(there?.site ?? agent.site, agent.site), phases.agent, () => {
    const source = world.running.get(command.lane.holderId);
    if (source === undefined) return answer("refused");
    const decision = source.core?.authorize(command.ticket, agent.disk.agentId, ["probe"]);
    if (decision?.ok !== true) return answer("ticketRefused");
    lane.accept(source, decision.ticket, () => world.linksBetween(source, agent));
    lane.queue(command.fileSet, "content", [command.block, command.block + 1]);
  });
  world.clock.after(command.timeoutNanoseconds, phases.agent, () => answer("stalled"));
}
