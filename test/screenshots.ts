/**
 * npm run screenshots: every page of the dashboard, light, dark and on a phone, for docs/screenshots. They show a real
 * fleet: a controller and twelve agents as processes on this machine, with slow links between their sites, while a file
 * set is on its way. One more shows what two thousand agents look like; that fleet is invented.
 */
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Browser } from "playwright-core";
import { browserMissing, openPage, startBrowser, windows } from "./support/browser.ts";
import { contentOf, mebibyte } from "./support/content.ts";
import { agentsOf, Fleet } from "./support/fleet.ts";
import { InventedFleet } from "./support/invented-fleet.ts";
import { serveInventedFleet } from "./support/page-server.ts";
import { waitUntil } from "./support/waiting.ts";

/** Built to dist/test. */
const target = fileURLToPath(new URL("../../docs/screenshots/", import.meta.url));
/** For the page to have drawn what it got. */
const settleMilliseconds = 700;
/** For measured rates, which are averages of some seconds. */
const settledRatesMilliseconds = 3_000;
const filesOfNewVersion = 64;
const fileMebibytes = 4;

const topology = {
  sites: {
    fra: { uplink: "80Mbps", downlink: "100Mbps" },
    iad: { uplink: "60Mbps", downlink: "60Mbps" },
    gru: { uplink: "30Mbps", downlink: "40Mbps" },
    sin: { uplink: "30Mbps", downlink: "30Mbps" },
  },
  resources: { transatlantic: { capability: "50Mbps" } },
  defaults: { nic: { up: "200Mbps", down: "200Mbps" } },
  paths: [
    { from: "fra", to: "iad", through: ["transatlantic"] },
    { from: "iad", to: "fra", through: ["transatlantic"] },
  ],
};

const realPages = {
  overview: "#/",
  "file-sets": "#/filesets",
  "file-set": "#/filesets/search-index%4043",
  agents: "#/agents",
  agent: "#/agents/iad-1",
  resources: "#/resources",
  resource: "#/resources/sites.sin.downlink",
  transfers: "#/transfers",
};

if (browserMissing !== false) {
  console.error(browserMissing);
  process.exitCode = 1;
} else {
  await mkdir(target, { recursive: true });
  const browser = await startBrowser();
  try {
    await shootRealFleet(browser);
    await shootInventedFleet(browser);
  } finally {
    await browser.close();
  }
}

async function shootRealFleet(browser: Browser): Promise<void> {
  const agents = agentsOf({ fra: 3, iad: 3, gru: 3, sin: 3 }).map((spec, index) => ({
    ...spec,
    labels: { role: index % 3 === 2 ? "indexing" : "serving", rack: `r${1 + (index % 3)}` },
  }));
  const fleet = new Fleet(await mkdtemp(join(tmpdir(), "sluice-screenshots-")), { topology, agents });
  try {
    await fleet.start();
    await publishEarlierOnes(fleet);
    await fleet.must("agent", "drain", "gru-2");
    const source = await writeFiles(fleet, "43", filesOfNewVersion, fileMebibytes);
    const publish = fleet.begin([
      "publish",
      source,
      "--fileset",
      "search-index",
      "--version",
      "43",
      "--agent",
      "fra-0",
    ]);
    await publish.ended;
    await fleet.member("fra-2").program.kill();
    await waitUntil("every site has begun", async () => {
      const { agents: targets } = await fleet.version("search-index", "43");
      return targets.filter(({ heldBytes }) => heldBytes > 8 * mebibyte).length >= 8;
    });
    // Rates settle while somebody looks.
    const { page: onlooker } = await openPage(browser);
    await onlooker.goto(fleet.url);
    await pause(settledRatesMilliseconds);
    for (const [page, address] of Object.entries(realPages)) {
      for (const window of ["light", "dark", "phone"] as const) {
        await shoot(browser, `${fleet.url}/${address}`, { window, name: `${page}-${window}` });
      }
    }
  } finally {
    await fleet.end(false);
  }
}

async function publishEarlierOnes(fleet: Fleet): Promise<void> {
  for (const [name, version] of [
    ["map-tiles", "2026-01"],
    ["model-weights", "7"],
    ["search-index", "42"],
  ] as const) {
    const source = await writeFiles(fleet, `${name}-${version}`, 3, 1);
    await fleet.publish(
      source,
      name,
      version,
      "--agent",
      "fra-0",
      ...(name === "model-weights" ? ["--to", "role=serving"] : []),
    );
  }
}

async function writeFiles(fleet: Fleet, seed: string, files: number, mebibytes: number): Promise<string> {
  const directory = await fleet.makeDirectory(`source-${seed}`);
  for (let index = 0; index < files; index += 1) {
    const name = `segment-${String(index).padStart(4, "0")}.bin`;
    await writeFile(join(directory, name), contentOf(`${seed} ${index}`, mebibytes * mebibyte));
  }
  return directory;
}

async function shootInventedFleet(browser: Browser): Promise<void> {
  const served = await serveInventedFleet(new InventedFleet({ agents: 2_000, fileSets: 200, sites: 12 }));
  try {
    const { url } = served.accepting;
    await shoot(browser, `${url}/#/filesets/search-index-3%4073`, { window: "light", name: "two-thousand-agents" });
  } finally {
    await served.accepting.close();
  }
}

async function shoot(
  browser: Browser,
  url: string,
  { window, name }: { readonly window: keyof typeof windows; readonly name: string },
): Promise<void> {
  const { page, complaints } = await openPage(browser, windows[window]);
  await page.goto(url);
  await page.getByText("Live", { exact: true }).waitFor();
  await pause(settleMilliseconds);
  await page.screenshot({ path: join(target, `${name}.png`) });
  await page.context().close();
  console.log(`docs/screenshots/${name}.png`);
  for (const complaint of complaints) console.error(complaint);
}
