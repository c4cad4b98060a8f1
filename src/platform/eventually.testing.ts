/** For tests of what happens soon, on machines that may be busy. */
import { setTimeout as pause } from "node:timers/promises";

/** Waits until a check holds: how long that takes is the machine's affair. */
export async function eventually(check: () => void): Promise<void> {
  for (let waits = 0; waits < 1_000; waits += 1) {
    try {
      check();
      return;
    } catch {
      await pause(10);
    }
  }
  check();
}
