/** The browser as the live source's surroundings. */
import type { Surroundings } from "./live-source.ts";

/** No frame is drawn while the page is hidden; what it shows is kept up to date this often nevertheless. */
const hiddenFrameMilliseconds = 1_000;

export const browserSurroundings: Surroundings = {
  openStream: (url) => new EventSource(url),
  now: () => Date.now(),
  setTimer: (action, delayMilliseconds) => {
    const timer = setTimeout(action, delayMilliseconds);
    return () => clearTimeout(timer);
  },
  onNextFrame: (action) => {
    if (document.hidden) setTimeout(action, hiddenFrameMilliseconds);
    else requestAnimationFrame(() => action());
  },
};
