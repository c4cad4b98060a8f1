/** Carries out what an agent's state machine orders, on its virtual disk, lanes and channel. */
import type { AgentCommand } from "../control/agent/agent-events.ts";
import { RangeSet } from "../std/ranges.ts";
import { equalBytes } from "../std/bytes.ts";
import { transmissionNanoseconds } from "../std/units.ts";
import { startProbe } from "./agent-probe.ts";
import { phases } from "./virtual-clock.ts";
import type { VirtualAgent } from "./virtual-agent.ts";

export function carryOut(agent: VirtualAgent, command: AgentCommand): void {
  const { lanes } = agent;
  switch (command.type) {
    case "send":
      return agent.send(command.message);
    case "disconnect":
      return agent.disconnect(command.retry, command.reason);
    case "openLane":
      return lanes.open(command.lane);
    case "pull":
      return lanes.pull(command.laneId, command, command.ticket);
    case "setRate":
      return lanes.setRate(command.laneId, command.rateBitsPerSecond, command.ticket);
    case "closeLane":
      return lanes.close(command.laneId);
    case "probe":
      return startProbe(agent, command);
    case "note":
      return agent.world.noted?.(agent.name, command.level, command.text);
    default:
      return carryOutOnDisk(agent, command);
  }
}

type DiskCommand = Extract<
  AgentCommand,
  { type: "storeManifest" | "prepare" | "finish" | "activate" | "delete" | "discard" | "readChallenge" }
>;

function carryOutOnDisk(agent: VirtualAgent, command: DiskCommand): void {
  const { disk } = agent;
  switch (command.type) {
    case "storeManifest":
      return storeManifest(agent, command);
    case "prepare": {
      const held = disk.prepare(command.fileSet, command.manifest);
      agent.post({ type: "prepared", fileSet: command.fileSet, held });
      agent.wake(command.fileSet, "content", 0, command.manifest.blockCount);
      // What was complete before a restart may be so without another word.
      if (disk.isWhole(command.fileSet)) agent.world.completed(agent, command.fileSet);
      return;
    }
    case "finish":
      return finish(agent, command.fileSet);
    case "activate":
      return activate(agent, command.name, command.version);
    case "delete":
      disk.delete(command.fileSet);
      agent.world.incompleted(agent, command.fileSet);
      return agent.post({ type: "deleted", fileSet: command.fileSet });
    case "discard":
      disk.discard(command.fileSet, RangeSet.of(command.block, command.block + 1));
      return agent.world.incompleted(agent, command.fileSet);
    case "readChallenge":
      return readChallenge(agent, command);
  }
}

function storeManifest(agent: VirtualAgent, command: Extract<AgentCommand, { type: "storeManifest" }>): void {
  const { fileSet, offset, bytes } = command;
  const log = agent.world.contents.get(fileSet)?.manifestLog;
  if (log === undefined || !equalBytes(log.subarray(offset, offset + bytes.length), bytes)) {
    agent.world.account.violation(`${agent.name} stores bytes of the manifest of ${fileSet} that were never published`);
  } else if (!agent.disk.storeManifest(fileSet, offset, bytes.length)) {
    agent.world.account.violation(`${agent.name} stores the manifest of ${fileSet} with a gap at ${String(offset)}`);
  }
}

/** The bytes go to the controller at the rate that it says. */
function readChallenge(agent: VirtualAgent, command: Extract<AgentCommand, { type: "readChallenge" }>): void {
  const { challengeId, fileSet, block, rateBitsPerSecond } = command;
  const content = agent.world.contents.get(fileSet);
  if (content === undefined) return;
  const { core } = agent;
  const lengthBytes = content.manifest.blockLengthBytes(block);
  const takes = transmissionNanoseconds(lengthBytes, Math.max(1, rateBitsPerSecond));
  agent.world.clock.after(takes, phases.agent, () => {
    if (agent.core !== core) return;
    const bytes = content.blockBytes(block, agent.corrupt);
    agent.post({ type: "challengeRead", challengeId, bytes, end: "whole" });
  });
}

function finish(agent: VirtualAgent, fileSet: string): void {
  if (agent.disk.isWhole(fileSet)) agent.world.completed(agent, fileSet);
  else agent.world.account.violation(`${agent.name} takes ${fileSet} for whole, which it is not`);
  agent.post({ type: "finished", fileSet });
}

function activate(agent: VirtualAgent, name: string, version: string | null): void {
  const { disk, world } = agent;
  if (version === null) disk.current.delete(name);
  else {
    if (!disk.isWhole(`${name}@${version}`)) {
      world.account.violation(`${agent.name} makes ${name}@${version} current, of which it does not hold all`);
    }
    disk.current.set(name, version);
  }
  agent.post({ type: "activated", name, version });
}
