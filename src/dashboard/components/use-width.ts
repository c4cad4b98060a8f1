/** How much room an element has. It is known before the first frame is drawn, so that nothing jumps. */
import { useLayoutEffect, useRef, useState } from "preact/hooks";

/** `width` in pixels, for the element whose `ref` is `holder`. */
export function useWidth<Holder extends HTMLElement>() {
  const holder = useRef<Holder>(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const element = holder.current;
    if (element === null) return undefined;
    setWidth(element.clientWidth);
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return { width, holder };
}
