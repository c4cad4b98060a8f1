/**
 * Reads bytes of a manifest that is still coming in, to serve them: pieces that others before them are missing of are in
 * memory, the rest on the disk. It promises that what was held when it was asked for is read, wherever it goes meanwhile.
 */

export interface PiecePlaces {
  /** A piece that is held in memory only; undefined: it is on the disk, or on its way there. */
  readonly loosePiece: (piece: number) => Uint8Array | undefined;
  readonly readStored: (offset: number, lengthBytes: number) => Promise<Uint8Array>;
}

/** Fills `into` with the manifest's bytes from `offset` on. @throws what `readStored` throws */
export async function readPieces(
  offset: number,
  into: Uint8Array,
  pieceBytes: number,
  places: PiecePlaces,
): Promise<void> {
  let done = 0;
  while (done < into.length) {
    const at = offset + done;
    const piece = Math.floor(at / pieceBytes);
    const loose = places.loosePiece(piece);
    let end = Math.min(into.length, (piece + 1) * pieceBytes - offset);
    if (loose !== undefined) {
      const within = at - piece * pieceBytes;
      into.set(loose.subarray(within, within + end - done), done);
    } else {
      for (let next = piece + 1; end < into.length && places.loosePiece(next) === undefined; next += 1) {
        end = Math.min(into.length, (next + 1) * pieceBytes - offset);
      }
      into.set(await places.readStored(at, end - done), done);
    }
    done = end;
  }
}
