/** The dashboard in a real browser: before a real fleet, and before an invented one of two thousand agents. */
import { strict as assert } from "node:assert";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import type { Browser, Page } from "playwright-core";
import { backgroundColor, countFrames, focusedText, measurePage, watchShifts } from "#src/dashboard/in-page.testing.ts";
import { browserMissing, openPage, startBrowser, windows } from "./support/browser.ts";
import { contentOf, mebibyte } from "./support/content.ts";
import { agentsOf, fleetTest } from "./support/fleet.ts";
import { InventedFleet } from "./support/invented-fleet.ts";
import { serveInventedFleet } from "./support/page-server.ts";
import type { ServedPage } from "./support/page-server.ts";
import { waitUntil } from "./support/waiting.ts";

const skip = browserMissing;

/** The text of the first element that a test names. */
async function textOf(page: Page, testId: string): Promise<string> {
  return (await page.getByTestId(testId).first().textContent({ timeout: 1_000 })) ?? "";
}

describe("the dashboard of a real fleet", () => {
  let browser: Browser | undefined;
  before(async () => {
    if (skip === false) browser = await startBrowser();
  });
  after(async () => browser?.close());

  fleetTest(
    "shows a distribution advance to 100 %, and comes back after the controller has been restarted",
    {
      skip,
      timeoutMilliseconds: 120_000,
      topology: { sites: { fra: { uplink: "40Mbps" }, iad: {} } },
      agents: agentsOf({ fra: 1, iad: 2 }),
    },
    async (fleet) => {
      assert.ok(browser !== undefined);
      const { page, complaints } = await openPage(browser);
      await page.goto(fleet.url);
      await page.getByText("No file set has been published yet").waitFor();

      const source = await fleet.makeDirectory("source");
      const oddName = `<img src="x" onerror="document.title='run'">.bin`;
      await writeFile(join(source, "large.bin"), contentOf("dashboard", 24 * mebibyte));
      await writeFile(join(source, oddName), "a name that must stay a text");
      const publish = fleet.begin([
        ...["publish", source, "--fileset", "index", "--version", "1", "--agent", "fra-0", "--wait"],
      ]);

      await page.getByRole("link", { name: "index@1" }).first().click();
      const seen: number[] = [];
      await waitUntil("the page shows 100 %", async () => {
        const percent = Number.parseFloat(await textOf(page, "progress"));
        if (percent !== seen.at(-1) && Number.isFinite(percent)) seen.push(percent);
        return percent === 100;
      });
      assert.equal((await publish.ended).code, 0);
      assert.ok(
        seen.filter((percent) => percent > 0 && percent < 100).length >= 3,
        `it was seen at ${seen.join(", ")} %`,
      );
      assert.deepEqual(
        seen,
        seen.toSorted((a, b) => a - b),
        "it never goes back",
      );
      await page.getByRole("region", { name: "Files" }).getByText(oddName).waitFor();
      assert.notEqual(await page.title(), "run");

      await page.getByRole("button", { name: "Pause" }).click();
      await page.getByText("paused", { exact: true }).waitFor();
      assert.equal((await fleet.version("index", "1")).paused, true);
      await page.getByRole("button", { name: "Resume" }).click();
      await page.getByText("complete", { exact: true }).waitFor();

      await fleet.controller.kill();
      await page.getByRole("alert").getByText("The controller does not answer.").waitFor();
      assert.equal(await textOf(page, "progress"), "100 %", "what was seen stays");
      await fleet.startController();
      await waitUntil("the page is live again", async () => (await textOf(page, "connection")) === "Live");
      await page.getByRole("alert").waitFor({ state: "detached" });
      await waitUntil("it shows 100 % again", async () => (await textOf(page, "progress")) === "100 %");
      assert.deepEqual(complaints, []);
    },
  );
});

describe("the dashboard beside a source that serves wrong bytes", () => {
  fleetTest(
    "says that it is out of use and why, and puts it back",
    {
      skip,
      timeoutMilliseconds: 120_000,
      topology: { sites: { fra: {}, iad: {} }, defaults: { nic: { up: "100Mbps", down: "100Mbps" } } },
      agents: [{ name: "fra-0", site: "fra", relayed: true }],
      controllerFlags: ["--out-of-use-after", "2", "--retry", "1h"],
    },
    async (fleet) => {
      const source = await fleet.makeDirectory("source");
      await writeFile(join(source, "large.bin"), contentOf("wrong bytes", 8 * mebibyte));
      await fleet.publish(source, "index", "1", "--agent", "fra-0");
      fleet.relay("fra-0").isCorrupting = true;
      const browser = await startBrowser();
      try {
        const { page, complaints } = await openPage(browser);
        await page.goto(fleet.url);
        for (const spec of agentsOf({ iad: 1 })) await fleet.startAgent(spec);
        await page.getByText("1 component is out of use after failures.").waitFor({ timeout: 30_000 });
        await page.getByRole("link", { name: "index@1" }).first().click();
        // Nobody else has it: that is what the file set waits for, by name.
        await page.getByRole("link", { name: "only fra-0 has what is missing, and is out of use" }).waitFor();

        await page.goto(`${fleet.url}/#/resources`);
        await page.getByText("agents.fra-0").first().waitFor();
        await page
          .getByText(/badChecksum/)
          .first()
          .waitFor();
        fleet.relay("fra-0").isCorrupting = false;
        await page.getByRole("button", { name: "Put back" }).click();
        await page.getByRole("button", { name: "Put back" }).waitFor({ state: "detached" });
        assert.equal((await fleet.agent("fra-0")).outOfUse, false);
        await page.goto(`${fleet.url}/#/filesets/index%401`);
        await waitUntil("the rest comes from it", async () => (await textOf(page, "progress")) === "100 %");
        assert.deepEqual(complaints, []);
      } finally {
        await browser.close();
      }
    },
  );
});

const addresses = {
  Overview: "#/",
  "File sets": "#/filesets",
  "map-tiles-3@73": "#/filesets/map-tiles-3%4073",
  Agents: "#/agents",
  "fra-3": "#/agents/fra-3",
  Resources: "#/resources",
  "sites.sin.downlink": "#/resources/sites.sin.downlink",
  Transfers: "#/transfers",
} as const;

describe("the dashboard of two thousand agents and two hundred file sets", { skip }, () => {
  let browser: Browser | undefined;
  let served: ServedPage | undefined;
  before(async () => {
    served = await serveInventedFleet(new InventedFleet({ agents: 2_000, fileSets: 200, sites: 12 }));
    browser = await startBrowser();
  });
  after(async () => {
    await browser?.close();
    await served?.accepting.close();
  });
  // A page that nobody looks at would go on following the fleet.
  afterEach(async () => {
    for (const context of browser?.contexts() ?? []) await context.close();
  });

  const opened = async (address: string, window: keyof typeof windows = "light") => {
    assert.ok(browser !== undefined && served !== undefined);
    const watched = await openPage(browser, windows[window]);
    await watched.page.goto(`${served.accepting.url}/${address}`);
    return watched;
  };

  const holdsStill = async (title: string, address: string, window: keyof typeof windows): Promise<void> => {
    const { page, complaints } = await opened(address, window);
    await page.getByRole("heading", { level: 1, name: title, exact: true }).waitFor();
    // Rows stay where they are for as long as the pointer is on them.
    const table = page.locator(".table-scroll").first();
    if ((await table.count()) > 0) await table.hover({ force: true });
    await page.evaluate(watchShifts);
    await page.waitForTimeout(800);
    const { elements, overflow, shifted } = await page.evaluate(measurePage);
    assert.ok(elements < 2_500, `${elements} elements`);
    assert.ok(overflow <= 0, `${overflow} pixels wider than the window (${window})`);
    assert.ok(shifted < 0.02, `the layout shifted by ${shifted} (${window})`);
    assert.deepEqual(complaints, []);
  };

  for (const [title, address] of Object.entries(addresses)) {
    it(`${title}: few elements, nothing jumps, nothing is wider than a phone, no complaints`, async () => {
      await Promise.all([holdsStill(title, address, "light"), holdsStill(title, address, "phone")]);
    });
  }

  it("goes on drawing while everything changes", async () => {
    const { page } = await opened(addresses["map-tiles-3@73"]);
    await page.locator(".heat-map canvas").first().waitFor();
    const frames = await page.evaluate(countFrames, 3_000);
    // Half of what a display draws, on a machine that other tests keep busy, without a graphics card.
    assert.ok(frames >= 30, `${frames} frames in 3 s`);
  });

  it("is worked by keys alone: pages, sorting, the heat map", async () => {
    const { page } = await opened("#/agents");
    await page.getByRole("heading", { level: 1, name: "Agents" }).waitFor();
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(focusedText), "To the content");
    await page.getByRole("button", { name: "Out" }).focus();
    await page.keyboard.press("Enter");
    assert.equal(await page.locator("th[aria-sort=descending]").textContent(), "▼Out");
    await page.goto(`${served?.accepting.url}/${addresses["map-tiles-3@73"]}`);
    await page.getByRole("img", { name: "Agents of fra." }).focus();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    await page.locator(".heat-tip").getByText("fra-1").waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "fra-1" }).waitFor();
  });

  it("finds agents by selector, and says what is wrong with one", async () => {
    const { page } = await opened("#/agents?selector=site%3Dfra");
    await page.getByRole("heading", { level: 2, name: "167 agents" }).waitFor();
    await page.getByRole("searchbox").fill("site=fra,role=indexing,");
    await page.getByText(/the selector .* is not valid/).waitFor();
  });

  it("puts a component back", async () => {
    const { page } = await opened("#/resources");
    await page.getByRole("button", { name: "Put back" }).click();
    await page.getByText("put back by the test").waitFor();
    assert.deepEqual(served?.orders, ["/v1/resources/agents.iad-0/put-back"]);
  });

  it("keeps the choice of colours", async () => {
    const { page } = await opened("#/");
    const button = page.getByRole("button", { name: "As the system" });
    await button.click();
    await page.getByRole("button", { name: "Light" }).click();
    await page.reload();
    await page.getByRole("button", { name: "Dark" }).waitFor();
    assert.equal(await page.evaluate(backgroundColor), "rgb(13, 18, 23)");
  });
});

describe("the dashboard without a controller", { skip }, () => {
  it("says what to do", async () => {
    const browser = await startBrowser();
    const served = await serveInventedFleet(new InventedFleet({ agents: 3, fileSets: 1, sites: 3 }));
    try {
      const { page } = await openPage(browser);
      await page.goto(served.accepting.url);
      await page.getByText("Live", { exact: true }).waitFor();
      await served.accepting.close();
      await page.getByText("This page tries again by itself.").waitFor();
    } finally {
      await browser.close();
    }
  });
});
