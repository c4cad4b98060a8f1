/** A few words of SVG: elements as text, escaped, with coordinates of bounded length. */

export interface Point {
  readonly x: number;
  readonly y: number;
}

type Attributes = Readonly<Record<string, string | number>>;

export function element(name: string, attributes: Attributes, content = ""): string {
  const written = Object.entries(attributes)
    .map(([key, value]) => ` ${key}="${typeof value === "number" ? short(value) : escapeXml(value)}"`)
    .join("");
  return content === "" ? `<${name}${written}/>` : `<${name}${written}>${content}</${name}>`;
}

export function text(at: Point, content: string, attributes: Attributes = {}): string {
  return element("text", { x: at.x, y: at.y, ...attributes }, escapeXml(content));
}

export function line(from: Point, to: Point, attributes: Attributes): string {
  return element("line", { x1: from.x, y1: from.y, x2: to.x, y2: to.y, ...attributes });
}

/** A line through all these points. */
export function polyline(points: readonly Point[], attributes: Attributes): string {
  const written = points.map(({ x, y }) => `${short(x)},${short(y)}`).join(" ");
  return element("polyline", { points: written, fill: "none", ...attributes });
}

function escapeXml(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

function short(value: number): string {
  return String(Math.round(value * 10) / 10);
}
