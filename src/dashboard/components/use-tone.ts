/** The colour of use against capability: at its limit is no fault, above it is. */
import type { Usage } from "../../protocol/api/rows.ts";
import type { Tone } from "./basics.tsx";

/** From this share of its capability on, a resource is what others wait for. */
const busyShare = 0.9;
/** Measured rates waver: this much above the capability is not yet over it. */
const tolerance = 1.05;

export function useToneOf({
  measuredBitsPerSecond,
  capabilityBitsPerSecond,
}: Omit<Usage, "allocatedBitsPerSecond">): Tone {
  if (measuredBitsPerSecond <= 0) return "quiet";
  if (capabilityBitsPerSecond === null || capabilityBitsPerSecond <= 0) return "moving";
  const share = measuredBitsPerSecond / capabilityBitsPerSecond;
  if (share > tolerance) return "bad";
  return share >= busyShare ? "warning" : "moving";
}
