/**
 * Serves the dashboard: the files that scripts/build-dashboard.mjs has made, from memory, on the controller's one port.
 *
 * Promises: only those files, under their own names, are ever served; the browser is told to run no other script than
 * the page's own, to talk to no other host, and to show the page in no other page.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import type { Context } from "hono";

/** Beside the programs, where the build puts it. */
const builtDirectory = fileURLToPath(new URL("../../dashboard-page/", import.meta.url));

const contentTypes: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** No inline script or style, nothing from elsewhere, no text of the network as HTML (trusted types). */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

const pageHeaders: Readonly<Record<string, string>> = {
  "content-security-policy": contentSecurityPolicy,
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
};

/** What this needs of the API: a way to answer at a path. */
interface Routes {
  get(path: string, handler: (context: Context) => Response): unknown;
}

interface PageFile {
  readonly contentType: string;
  readonly plain: Uint8Array<ArrayBuffer>;
  readonly compressed: Uint8Array<ArrayBuffer>;
  readonly entityTag: string;
  /** Its name changes with its content, so that it can be kept for ever. */
  readonly isNamedByContent: boolean;
}

/** Adds the page at `/` and its files below `/assets/`. Without a built page, `/` says how to get one. */
export function addDashboardPage(api: Routes, directory: string = builtDirectory): void {
  const files = readFiles(directory);
  const page = files.get("index.html");
  api.get("/", (context) =>
    page === undefined
      ? context.text("The dashboard is not built: run npm run build. The API is at /v1.\n", 404)
      : answer(context, page),
  );
  for (const [name, file] of files) {
    if (file.isNamedByContent) api.get(`/${name}`, (context) => answer(context, file));
  }
}

/** By path, as in an address. Empty when there is no such directory. */
function readFiles(directory: string): Map<string, PageFile> {
  const files = new Map<string, PageFile>();
  let names: string[];
  try {
    names = readdirSync(directory, { recursive: true, encoding: "utf8" });
  } catch {
    return files;
  }
  for (const name of names) {
    const contentType = contentTypes[extname(name)];
    if (contentType === undefined) continue;
    const plain = new Uint8Array(readFileSync(join(directory, name)));
    const path = name.replaceAll("\\", "/");
    files.set(path, {
      contentType,
      plain,
      compressed: new Uint8Array(gzipSync(plain)),
      entityTag: `"${createHash("sha256").update(plain).digest("base64url").slice(0, 22)}"`,
      isNamedByContent: path.startsWith("assets/"),
    });
  }
  return files;
}

function answer(context: Context, file: PageFile): Response {
  const { contentType, plain, compressed, entityTag, isNamedByContent } = file;
  const headers: Record<string, string> = {
    ...pageHeaders,
    etag: entityTag,
    vary: "accept-encoding",
    "cache-control": isNamedByContent ? "public, max-age=31536000, immutable" : "no-cache",
  };
  if (context.req.header("if-none-match") === entityTag) return context.body(null, 304, headers);
  headers["content-type"] = contentType;
  if (!/\bgzip\b/.test(context.req.header("accept-encoding") ?? "")) return context.body(plain, 200, headers);
  return context.body(compressed, 200, { ...headers, "content-encoding": "gzip" });
}
