/** What a link is to the kernel: a token bucket (tbf) on the device that sends into it. */
import { leastShapedBurstBytes, shapedBurstMilliseconds, shapedQueueMilliseconds } from "./limits.ts";

/** The words for tc that give a device this rate, or another one while it is in use. */
export function shapeDevice(device: string, rateBitsPerSecond: number): string {
  const burstBytes = Math.max(leastShapedBurstBytes, Math.ceil((rateBitsPerSecond * shapedBurstMilliseconds) / 8_000));
  return (
    `qdisc replace dev ${device} root tbf rate ${rateBitsPerSecond}bit burst ${burstBytes} ` +
    `latency ${shapedQueueMilliseconds}ms`
  );
}
