/** Small pieces of every page. They hold no state; texts from the network are only ever put in as text. */
import type { ComponentChildren } from "preact";

export type Tone = "good" | "moving" | "warning" | "bad" | "quiet";

/** `note` stands at the right end of its head. */
export function Panel(props: {
  readonly title?: ComponentChildren;
  readonly note?: ComponentChildren;
  readonly className?: string;
  readonly bare?: boolean;
  readonly children: ComponentChildren;
}) {
  const { title, note, className = "", bare = false, children } = props;
  return (
    <section class={`panel ${className}`}>
      {title !== undefined && (
        <header class="panel-head">
          <h2>{title}</h2>
          {note !== undefined && <div class="aside">{note}</div>}
        </header>
      )}
      {bare ? children : <div class="panel-body">{children}</div>}
    </section>
  );
}

export function Tile(props: {
  readonly label: string;
  readonly value: ComponentChildren;
  readonly note?: ComponentChildren;
  readonly tone?: Tone | undefined;
  readonly href?: string;
}) {
  const { label, value, note, tone, href } = props;
  const content = (
    <>
      <span class="tile-label">{label}</span>
      <span class={`tile-value ${tone ?? ""}`}>{value}</span>
      <span class="tile-note cut">{note}</span>
    </>
  );
  if (href === undefined) return <div class="tile">{content}</div>;
  return (
    <a class="tile" href={href}>
      {content}
    </a>
  );
}

/** A bar from 0 to 1. `behind` is a second, fainter one: what is allocated behind what is measured. */
export function Meter(props: {
  readonly share: number;
  readonly behind?: number;
  readonly tone?: Tone;
  /** For readers of the screen, when no text beside it says the same. */
  readonly label?: string;
}) {
  const { share, behind, tone = "moving", label } = props;
  return (
    <div
      class={`meter meter-${tone}`}
      {...(label === undefined ? { "aria-hidden": true } : { role: "img" })}
      aria-label={label}
    >
      {behind !== undefined && <div class="meter-behind" style={{ transform: `scaleX(${clamp(behind)})` }} />}
      <div class="meter-fill" style={{ transform: `scaleX(${clamp(share)})` }} />
    </div>
  );
}

const clamp = (share: number): string => Math.min(1, Math.max(0, share)).toFixed(4);

/** A bar with its figure behind it. */
export function MeterRow(props: {
  readonly share: number;
  readonly text: string;
  readonly tone?: Tone;
  readonly behind?: number;
}) {
  const { text, ...meter } = props;
  return (
    <div class="meter-row">
      <Meter {...meter} />
      <span class="meter-text">{text}</span>
    </div>
  );
}

export function Badge(props: {
  readonly tone: Tone;
  readonly children: ComponentChildren;
  readonly title?: string | undefined;
}) {
  return (
    <span class={`badge badge-${props.tone}`} title={props.title}>
      {props.children}
    </span>
  );
}

/** Says what is not there, and what to do about it. */
export function Message(props: { readonly title: string; readonly children?: ComponentChildren }) {
  return (
    <div class="message" role="status">
      <strong>{props.title}</strong>
      {props.children}
    </div>
  );
}

export function Loading() {
  return (
    <div class="message" role="status" aria-busy="true">
      <span class="muted">Waiting for the controller…</span>
    </div>
  );
}

export function Labels(props: { readonly labels: Readonly<Record<string, string>>; readonly all?: boolean }) {
  const entries = Object.entries(props.labels).filter(([key]) => key !== "site" && key !== "name");
  if (entries.length === 0) return <span class="faint">–</span>;
  return (
    <span class={props.all === true ? "labels all" : "labels"}>
      {entries.map(([key, value]) => (
        <span key={key} class="label" title={`${key}=${value}`}>
          {key}={value}
        </span>
      ))}
    </span>
  );
}

export function Facts(props: { readonly facts: readonly (readonly [string, ComponentChildren])[] }) {
  return (
    <dl class="facts">
      {props.facts.map(([name, value]) => (
        <>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </>
      ))}
    </dl>
  );
}

export function PageHead(props: {
  readonly title: ComponentChildren;
  readonly above?: { readonly href: string; readonly text: string };
  readonly beside?: ComponentChildren;
  readonly children?: ComponentChildren;
}) {
  const { title, above, beside, children } = props;
  return (
    <div class="page-head">
      <div>
        {above !== undefined && (
          <nav class="breadcrumb" aria-label="Above">
            <a href={above.href}>{above.text}</a> /
          </nav>
        )}
        <h1 id="page-title" tabIndex={-1}>
          {title}
        </h1>
      </div>
      {beside}
      {children !== undefined && <div class="actions">{children}</div>}
    </div>
  );
}
