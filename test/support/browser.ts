/**
 * A real browser without a window, for tests of the dashboard: Chromium as the system has it. scripts/install-test-tools.sh
 * installs it; where it is not, the tests that need it are skipped and say so.
 */
import { strict as assert } from "node:assert";
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";

const places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** The browser's program; `SLUICE_CHROMIUM` goes before the usual places. */
const executablePath = [process.env["SLUICE_CHROMIUM"] ?? "", ...places].find((path) => existsSync(path));

/** Why tests with a browser are skipped; false when there is one. */
export const browserMissing: string | false =
  executablePath === undefined ? "there is no Chromium: scripts/install-test-tools.sh installs it" : false;

/** How the page is looked at. */
export const windows = {
  light: { viewport: { width: 1440, height: 900 }, colorScheme: "light" },
  dark: { viewport: { width: 1440, height: 900 }, colorScheme: "dark" },
  phone: {
    viewport: { width: 390, height: 844 },
    colorScheme: "light",
    isMobile: true,
    hasTouch: true,
    deviceScaleFactor: 2,
  },
} as const satisfies Record<string, BrowserContextOptions>;

export async function startBrowser(): Promise<Browser> {
  assert.ok(executablePath !== undefined, "there is no Chromium");
  return chromium.launch({ executablePath });
}

/** A page whose complaints are kept: scripts that throw, what its security policy refused. */
export interface WatchedPage {
  readonly page: Page;
  readonly complaints: readonly string[];
}

/** Opens a window. What a lost connection makes the browser say is no complaint. */
export async function openPage(browser: Browser, options: BrowserContextOptions = windows.light): Promise<WatchedPage> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    const text = message.text();
    if (message.type() === "error" && !text.includes("net::ERR_")) complaints.push(text);
  });
  return { page, complaints };
}
