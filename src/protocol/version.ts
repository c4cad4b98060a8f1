/**
 * The version of the protocol that programs speak with each other, and the rule of who may speak with whom:
 * the same major always works together, whatever the minors; another major is refused with a line that says what to do.
 */
import { z } from "zod";

export const protocolVersion = { major: 1, minor: 1 } as const;

export const protocolVersionSchema = z.object({
  major: z.int().min(0).max(65_535),
  minor: z.int().min(0).max(65_535),
});
export type ProtocolVersion = z.infer<typeof protocolVersionSchema>;

/**
 * Says why a peer of this version cannot be spoken with, or undefined if it can.
 * @param peer the version that the other end announced
 * @param peerName how to call the other end in the message, for example `agent fra-1`
 */
export function protocolMismatch(peer: ProtocolVersion, peerName: string): string | undefined {
  if (peer.major === protocolVersion.major) return undefined;
  const older = peer.major < protocolVersion.major ? peerName : "this program";
  return `${peerName} speaks protocol ${peer.major}, this program speaks ${protocolVersion.major}: upgrade ${older}`;
}
