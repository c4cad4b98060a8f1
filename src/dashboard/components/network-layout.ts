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
const leastWidthForCards = 620;
/** How far out the corners are: beyond them there must be room for lines that bend outwards. */
const cornerShare = 0.86;

/** Sites on an ellipse, in their order, the first at the left; four in the corners, so that no line passes behind a site. */
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
    const { x, y } = spotOf(index, sites.length);
    places.set(site, { x: round(width / 2 + radiusX * x), y: round(height / 2 + radiusY * y) });
  });
  return { width, height, cards: asCards, places };
}

/** From -1 to 1 each way. */
function spotOf(index: number, count: number): Place {
  if (count === 1) return { x: 0, y: 0 };
  if (count === 4) return { x: index === 0 || index === 3 ? -cornerShare : cornerShare, y: index < 2 ? -1 : 1 };
  const angle = Math.PI + (2 * Math.PI * index) / count;
  return { x: Math.cos(angle), y: count === 2 ? 0 : Math.sin(angle) };
}

function heightFor(sites: number, width: number, cards: boolean): number {
  if (sites <= 2) return 190;
  if (width < leastWidthForCards) return cards ? 360 : Math.min(460, 300 + sites * 4);
  if (sites <= 4) return 330;
  return Math.min(600, 300 + sites * 12);
}

/** Where the figure of a line stands that would else lie on another, or on a site: nearest to the wanted place first. */
const labelShares = [0.36, 0.3, 0.42, 0.24, 0.48, 0.56, 0.64, 0.72];

export interface Line {
  /** An SVG path. */
  readonly path: string;
  /** Where its figure may stand, best first: nearer to where it comes from, so that it is not in the way of the line back. */
  readonly labels: readonly Place[];
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
    labels: labelShares.map((share) => onCurve(start, control, end, share)),
  };
}

/** A box on the picture, by its middle. */
export interface Box extends Place {
  readonly width: number;
  readonly height: number;
}

/** The first of these places where a box of this size lies on no other; else the first. */
export function freePlace(places: readonly Place[], size: Pick<Box, "width" | "height">, taken: readonly Box[]): Place {
  const isFree = ({ x, y }: Place): boolean =>
    !taken.some(
      (box) =>
        Math.abs(box.x - x) < (box.width + size.width) / 2 && Math.abs(box.y - y) < (box.height + size.height) / 2,
    );
  return places.find(isFree) ?? places[0] ?? { x: 0, y: 0 };
}

function onCurve(start: Place, control: Place, end: Place, share: number): Place {
  const along = (from: number, over: number, to: number): number =>
    round((1 - share) ** 2 * from + 2 * share * (1 - share) * over + share ** 2 * to);
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
