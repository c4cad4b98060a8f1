/** What tests run inside the page, in a real browser. Each function stands alone: it is sent there as text. */

/** Adds up layout shifts from now on. */
export function watchShifts(): void {
  const sum = { value: 0 };
  Object.assign(globalThis, { shiftSum: sum });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) sum.value += (entry as PerformanceEntry & { value: number }).value;
  }).observe({ type: "layout-shift", buffered: false });
}

/** `overflow`: pixels by which the page is wider than its window; `shifted`: since `watchShifts`. */
export function measurePage(): { elements: number; overflow: number; shifted: number } {
  const { shiftSum } = globalThis as unknown as { shiftSum: { value: number } };
  return {
    elements: document.querySelectorAll("*").length,
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    shifted: shiftSum.value,
  };
}

/** Frames that are drawn in this time. */
export async function countFrames(milliseconds: number): Promise<number> {
  return new Promise((resolve) => {
    const end = performance.now() + milliseconds;
    let frames = 0;
    const frame = (now: number): void => {
      frames += 1;
      if (now < end) requestAnimationFrame(frame);
      else resolve(frames);
    };
    requestAnimationFrame(frame);
  });
}

export function focusedText(): string | null {
  return document.activeElement?.textContent ?? null;
}

export function backgroundColor(): string {
  return getComputedStyle(document.body).backgroundColor;
}
