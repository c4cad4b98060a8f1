/**
 * Bundles src/dashboard into dist/dashboard-page, which the controller serves as it is. Does nothing when no source is
 * newer than the bundle, so that it costs `npm run build` next to nothing.
 */
import { existsSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { listFiles, pureFolders, repositoryRoot } from "./lib.mjs";

const source = join(repositoryRoot, "src", "dashboard");
const target = join(repositoryRoot, "dist", "dashboard-page");
const builtPage = join(target, "index.html");

/** The page's own files, what it imports of the pure folders, and the packages and options that it is built with. */
function inputs() {
  const isSource = (name) => !/\.(test|testing)\.tsx?$/.test(name);
  return [
    ...["dashboard", ...pureFolders].flatMap((folder) => listFiles(join("src", folder), isSource)),
    "package-lock.json",
    "scripts/build-dashboard.mjs",
  ].map((path) => join(repositoryRoot, path));
}

function isCurrent() {
  if (!existsSync(builtPage)) return false;
  const builtAt = statSync(builtPage).mtimeMs;
  return inputs().every((path) => statSync(path).mtimeMs <= builtAt);
}

if (!isCurrent()) {
  const startedAt = new Date();
  const { build } = await import("vite");
  await build({
    configFile: false,
    root: source,
    base: "./",
    logLevel: "warn",
    publicDir: false,
    oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
    build: {
      outDir: target,
      emptyOutDir: true,
      target: "es2022",
      // Data URLs in pages are refused by the content security policy, except for images.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
      rolldownOptions: { checks: { bundlerTimings: false } },
    },
  });
  // A source that was saved while the bundle was made is newer than it.
  utimesSync(builtPage, startedAt, startedAt);
}
