/**
 * How large the blocks of a file are.
 *
 * Small blocks spread faster (a block can be passed on only once it is whole), large ones cost fewer checksums: about
 * 1,024 blocks a file keep both small beside the transfer itself.
 */
import { blocksPerFileAim, maximumBlockBytes, minimumBlockBytes } from "./limits.ts";

/**
 * The block size for a file of `lengthBytes`: a power of two of 256 KiB..16 MiB. A file that replaces an earlier version
 * keeps that one's size, so that equal blocks are found. Throws RangeError unless a predecessor's size is a valid one.
 */
export function chooseBlockBytes(lengthBytes: number, predecessorBlockBytes?: number): number {
  if (predecessorBlockBytes !== undefined) {
    const isValid =
      Number.isInteger(predecessorBlockBytes) &&
      predecessorBlockBytes >= 1 &&
      predecessorBlockBytes <= maximumBlockBytes;
    if (!isValid) throw new RangeError(`${String(predecessorBlockBytes)} is not a block size`);
    return predecessorBlockBytes;
  }
  let blockBytes = minimumBlockBytes;
  while (blockBytes < maximumBlockBytes && blockBytes * blocksPerFileAim < lengthBytes) blockBytes *= 2;
  return blockBytes;
}
