/**
 * Lets the system spread what a connection sends evenly over time (SO_MAX_PACING_RATE of Linux), so that what is handed
 * to it at once does not leave at once. A refinement: the rate itself is kept by who sends. It needs the optional package
 * koffi and the socket's descriptor, which Node does not show; where either is missing, nothing is changed.
 */
import type { Socket } from "node:net";

const socketLevel = 1;
const maximumPacingRateOption = 47;
/** Above this the system's pacing is not exact enough, and what it is for, links with small buffers, is not there. */
const maximumPacedBytesPerSecond = 300_000_000;
const noLimit = 0xffff_ffff_ffff_ffffn;

type SetSocketOption = (descriptor: number, level: number, name: number, value: Uint8Array, length: number) => number;

const setSocketOption = await loadSetSocketOption();

async function loadSetSocketOption(): Promise<SetSocketOption | undefined> {
  if (process.platform !== "linux") return undefined;
  try {
    const { default: koffi } = await import("koffi");
    return koffi.load(null).func("int setsockopt(int, int, int, const void *, uint32_t)") as SetSocketOption;
  } catch {
    return undefined;
  }
}

/** Whether `paceSocket` can do anything on this machine. */
export const canPaceSockets: boolean = setSocketOption !== undefined;

/**
 * Has the system send no faster than this from now on.
 * @param bytesPerSecond of content, without the headers of the network
 */
export function paceSocket(socket: Socket, bytesPerSecond: number): void {
  const descriptor = descriptorOf(socket);
  if (setSocketOption === undefined || descriptor === undefined) return;
  const isLimited = bytesPerSecond <= maximumPacedBytesPerSecond;
  const value = new DataView(new ArrayBuffer(8));
  value.setBigUint64(0, isLimited ? BigInt(Math.max(1, Math.round(bytesPerSecond))) : noLimit, isLittleEndian);
  // It may refuse: then what is sent leaves as it is handed over.
  setSocketOption(descriptor, socketLevel, maximumPacingRateOption, new Uint8Array(value.buffer), value.byteLength);
}

const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

function descriptorOf(socket: Socket): number | undefined {
  const handle: unknown = Reflect.get(socket, "_handle");
  if (typeof handle !== "object" || handle === null || socket.destroyed) return undefined;
  const descriptor: unknown = Reflect.get(handle, "fd");
  return typeof descriptor === "number" && descriptor >= 0 ? descriptor : undefined;
}
