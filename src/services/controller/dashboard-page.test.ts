import { strict as assert } from "node:assert";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { Hono } from "hono";
import { addDashboardPage } from "./dashboard-page.ts";

describe("the dashboard's files", () => {
  let directory = "";
  let api = new Hono();

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "sluice-page-"));
    await mkdir(join(directory, "assets"));
    await writeFile(join(directory, "index.html"), "<!doctype html><title>page</title>");
    await writeFile(join(directory, "assets", "index-abc.js"), "run();");
    await writeFile(join(directory, "assets", "notes.txt"), "no business of a browser");
    api = new Hono();
    addDashboardPage(api, directory);
  });
  after(async () => rm(directory, { recursive: true }));

  it("serves the page with a policy that lets nothing in from elsewhere", async () => {
    const response = await api.request("/");
    assert.equal(response.status, 200);
    assert.equal(await response.text(), "<!doctype html><title>page</title>");
    assert.equal(response.headers.get("cache-control"), "no-cache");
    const policy = response.headers.get("content-security-policy") ?? "";
    assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self'/);
    assert.doesNotMatch(policy, /unsafe|\*|data:|https?:/);
    assert.equal(response.headers.get("x-content-type-options"), "nosniff");
  });

  it("lets what is named by its content be kept, and compresses for those who take it", async () => {
    const response = await api.request("/assets/index-abc.js", { headers: { "accept-encoding": "br, gzip" } });
    assert.match(response.headers.get("cache-control") ?? "", /immutable/);
    assert.equal(response.headers.get("content-encoding"), "gzip");
    assert.equal(response.headers.get("content-type"), "text/javascript; charset=utf-8");
    const tag = response.headers.get("etag") ?? "";
    const again = await api.request("/assets/index-abc.js", { headers: { "if-none-match": tag } });
    assert.equal(again.status, 304);
    assert.equal(await again.text(), "");
  });

  it("serves nothing else", async () => {
    for (const path of ["/assets/notes.txt", "/assets/../index.html/x", "/assets/%2e%2e/package.json", "/index.htm"]) {
      assert.equal((await api.request(path)).status, 404, path);
    }
  });

  it("says what to do where the page was not built", async () => {
    const bare = new Hono();
    addDashboardPage(bare, join(directory, "nowhere"));
    const response = await bare.request("/");
    assert.equal(response.status, 404);
    assert.match(await response.text(), /npm run build/);
  });
});
