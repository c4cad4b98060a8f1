/** What can be pressed and typed into. */
import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { order } from "../live/requests.ts";

/** How long the outcome of an order is shown. */
const toastMilliseconds = 6_000;

interface Toast {
  readonly text: string;
  readonly failed: boolean;
}

const toast = signal<Toast | undefined>(undefined);
let toastTimer: ReturnType<typeof setTimeout> | undefined;

function show(next: Toast): void {
  clearTimeout(toastTimer);
  toast.value = next;
  toastTimer = setTimeout(() => (toast.value = undefined), toastMilliseconds);
}

/** The outcome of the last order, for a while. */
export function ToastArea() {
  const shown = toast.value;
  return (
    <div aria-live="polite">
      {shown !== undefined && <div class={shown.failed ? "toast bad" : "toast"}>{shown.text}</div>}
    </div>
  );
}

/** Gives an order when it is pressed, asks first where `confirm` says what will happen, and shows how it ended. */
export function OrderButton(props: {
  readonly path: string;
  readonly confirm?: string;
  readonly primary?: boolean;
  readonly title?: string;
  readonly children: ComponentChildren;
}) {
  const { path, confirm, primary = false, title, children } = props;
  const [busy, setBusy] = useState(false);
  const press = async (): Promise<void> => {
    if (confirm !== undefined && !window.confirm(confirm)) return;
    setBusy(true);
    try {
      show({ text: await order(path), failed: false });
    } catch (error) {
      show({ text: error instanceof Error ? error.message : String(error), failed: true });
    } finally {
      setBusy(false);
    }
  };
  return (
    <button
      type="button"
      class={primary ? "button primary" : "button"}
      disabled={busy}
      title={title}
      onClick={() => void press()}
    >
      {children}
    </button>
  );
}

export function Segments<Choice extends string>(props: {
  readonly label: string;
  readonly choices: readonly Choice[];
  readonly chosen: Choice;
  readonly onChoose: (choice: Choice) => void;
}) {
  const { label, choices, chosen, onChoose } = props;
  return (
    <div class="segments" role="group" aria-label={label}>
      {choices.map((choice) => (
        <button key={choice} type="button" aria-pressed={choice === chosen} onClick={() => onChoose(choice)}>
          {choice}
        </button>
      ))}
    </div>
  );
}

export function SearchField(props: {
  readonly label: string;
  readonly value: string;
  readonly onInput: (text: string) => void;
  /** What is wrong with what was typed. */
  readonly problem?: string | undefined;
}) {
  const { label, value, onInput, problem } = props;
  return (
    <input
      class="field field-search"
      type="search"
      autocomplete="off"
      spellcheck={false}
      aria-label={label}
      aria-invalid={problem !== undefined}
      placeholder={label}
      title={problem}
      value={value}
      onInput={(event) => onInput(event.currentTarget.value)}
    />
  );
}
