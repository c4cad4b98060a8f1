/** Icons of the pages, drawn with lines in the colour of the text beside them. */
import type { Route } from "../router.ts";

const paths: Readonly<Record<string, string>> = {
  overview: "M4 5h7v6H4zM13 5h7v4h-7zM13 12h7v7h-7zM4 14h7v5H4z",
  fileSets: "M4 7l8-4 8 4-8 4zM4 12l8 4 8-4M4 17l8 4 8-4",
  agents: "M4 4h16v6H4zM4 14h16v6H4zM8 7h.01M8 17h.01",
  resources: "M4 18a8 8 0 1 1 16 0M12 18l4-6M4 18h16",
  transfers: "M4 8h14l-4-4M20 16H6l4 4",
};

export function PageIcon({ page }: { readonly page: Route["page"] }) {
  return (
    <svg
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width="1.8"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      <path d={paths[page] ?? ""} />
    </svg>
  );
}

const themePaths: Readonly<Record<string, string>> = {
  system: "M3 5h18v11H3zM8 20h8M12 16v4",
  light:
    "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.5 1.5M17.5 17.5L19 19M19 5l-1.5 1.5M6.5 17.5L5 19",
  dark: "M20 14A8 8 0 1 1 10 4a6.5 6.5 0 0 0 10 10z",
};

export function ThemeIcon({ theme }: { readonly theme: string }) {
  return (
    <svg
      width="18"
      height="18"
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width="1.8"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      <path d={themePaths[theme] ?? ""} />
    </svg>
  );
}

/** The same as sluice.svg, in the page itself. */
export function BrandIcon() {
  return (
    <svg class="brand-icon" width="28" height="28" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" />
      <path d="M9 6v20M23 6v20M9 10h14" />
      <path class="brand-water" d="M9 19c2.4-2 4.6-2 7 0s4.6 2 7 0M9 24c2.4-2 4.6-2 7 0s4.6 2 7 0" />
    </svg>
  );
}
