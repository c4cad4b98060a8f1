/** Light or dark: as the system says, unless the reader has chosen. The choice is kept in this browser. */
import { signal } from "@preact/signals";

export type Theme = "system" | "light" | "dark";

const storageKey = "sluice-theme";
const themes: readonly Theme[] = ["system", "light", "dark"];

export const theme = signal<Theme>("system");
/** Rises whenever colours change, for what is drawn on a canvas. */
export const paletteVersion = signal(0);

export function loadTheme(): void {
  const stored = read();
  applyTheme(themes.find((candidate) => candidate === stored) ?? "system");
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => (paletteVersion.value += 1));
}

/** From one to the next: system, light, dark. */
export function nextTheme(): void {
  const next = themes[(themes.indexOf(theme.value) + 1) % themes.length] ?? "system";
  applyTheme(next);
  try {
    localStorage.setItem(storageKey, next);
  } catch {
    // A browser that keeps nothing for us: the choice holds until the page is closed.
  }
}

function applyTheme(next: Theme): void {
  theme.value = next;
  if (next === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = next;
  paletteVersion.value += 1;
}

function read(): string | null {
  try {
    return localStorage.getItem(storageKey);
  } catch {
    return null;
  }
}

/** The colour that a token such as `--moving` stands for now, in a form that a canvas takes. */
export function colorOf(token: string): string {
  const probe = document.createElement("span");
  probe.style.color = `var(${token})`;
  probe.hidden = true;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
