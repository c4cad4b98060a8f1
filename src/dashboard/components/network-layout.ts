/**
 * Where sites stand in the picture of the network, and how the lines between them run. The same sites always stand in
 * the same places: nothing moves but what flows. Lengths are pixels.
 */

export interface Place {
  readonly x: number;
  readonly y: number;
}

export interface NetworkLayout {
  readonly width: number;
  readonly height: number;
  /** Sites are cards with figures when there is room, else dots with a name. */
  readonly cards: boolean;
  readonly places: ReadonlyMap<string, Place>;
}

/** Size of a site's card. */
export const cardWidth = 168;
export const cardHeight = 74;
const dotMargin = 58;
const mostCards = 10;
/** The part of a line behind which its figure stands. */
const labelShare = 0.36;
const leastWidthForCards = 620;

/** Sites on an ellipse, in their order, the first at the left. */
export function layOut(sites: readonly string[], width: number): NetworkLayout {
  const cards = sites.length <= mostCards && width >= leastWidthForCards;
  const narrowCards = sites.length <= 4 && width >= 2 * cardWidth + 24;
  const asCards = cards || narrowCards;
  const height = heightFor(sites.length, width, asCards);
  const places = new Map<string, Place>();
  const marginX = asCards ? cardWidth / 2 + 6 : dotMargin;
  const marginY = asCards ? cardHeight / 2 + 8 : 34;
  const radiusX = Math.max(0, width / 2 - marginX);
  const radiusY = Math.max(0, height / 2 - marginY);
  sites.forEach((site, index) => {
    const angle = Math.PI + (2 * Math.PI * index) / sites.length;
    const alone = sites.length === 1;
    places.set(site, {
      x: round(width / 2 + (alone ? 0 : radiusX * Math.cos(angle))),
      y: round(height / 2 + (alone || sites.length === 2 ? 0 : radiusY * Math.sin(angle))),
    });
  });
  return { width, height, cards: asCards, places };
}

function heightFor(sites: number, width: number, cards: boolean): number {
  if (sites <= 2) return 190;
  if (width < leastWidthForCards) return cards ? 360 : Math.min(460, 300 + sites * 4);
  if (sites <= 4) return 320;
  return Math.min(600, 300 + sites * 12);
}

export interface Line {
  /** An SVG path. */
  readonly path: string;
  /** Where its figure stands: nearer to where it comes from, so that it is not in the way of the line back. */
  readonly label: Place;
}

/**
 * The line from one place to another, bent to its left, so that the line back does not lie on it. It ends before the
 * card or dot at each end (`clearance` from its middle, as half a width and half a height).
 */
export function lineBetween(from: Place, to: Place, clearance: { readonly x: number; readonly y: number }): Line {
  const deltaX = to.x - from.x;
  const deltaY = to.y - from.y;
  const length = Math.hypot(deltaX, deltaY) || 1;
  const bend = Math.min(46, 14 + length * 0.07);
  const control = {
    x: (from.x + to.x) / 2 + (deltaY / length) * bend,
    y: (from.y + to.y) / 2 - (deltaX / length) * bend,
  };
  const start = leaving(from, control, clearance);
  const end = leaving(to, control, clearance);
  return {
    path: `M${start.x} ${start.y}Q${round(control.x)} ${round(control.y)} ${end.x} ${end.y}`,
    label: onCurve(start, control, end),
  };
}

function onCurve(start: Place, control: Place, end: Place): Place {
  const along = (from: number, over: number, to: number): number =>
    round((1 - labelShare) ** 2 * from + 2 * labelShare * (1 - labelShare) * over + labelShare ** 2 * to);
  return { x: along(start.x, control.x, end.x), y: along(start.y, control.y, end.y) };
}

/** The point where the way from the middle of a box towards another point leaves the box. */
function leaving(middle: Place, towards: Place, clearance: { readonly x: number; readonly y: number }): Place {
  const deltaX = towards.x - middle.x;
  const deltaY = towards.y - middle.y;
  const share = Math.min(
    clearance.x / Math.max(1e-6, Math.abs(deltaX)),
    clearance.y / Math.max(1e-6, Math.abs(deltaY)),
    1,
  );
  return { x: round(middle.x + deltaX * share), y: round(middle.y + deltaY * share) };
}

const round = (value: number): number => Math.round(value * 10) / 10;
