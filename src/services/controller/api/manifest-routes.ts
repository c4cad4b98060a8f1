/** Manifests, for publishers: a version's own, and the one that a publisher takes file versions and block sizes from. */
import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import { ApiError } from "./api-errors.ts";
import { rawAnswer, versionParams, type ControllerApiOptions } from "./route-parts.ts";

const tags = ["Manifests"];
const contentType = "application/octet-stream";

const own = createRoute({
  method: "get",
  path: "/v1/filesets/{name}/versions/{version}/manifest",
  tags,
  summary: "The bytes of a version's manifest, as far as it has grown",
  request: { params: versionParams },
  responses: { 200: rawAnswer(contentType, "The manifest") },
});

const base = createRoute({
  method: "get",
  path: "/v1/filesets/{name}/versions/{version}/base-manifest",
  tags,
  summary:
    "The manifest that a publisher of this version goes by: its own, if it is published, else that of the version published last",
  request: { params: versionParams },
  responses: {
    200: rawAnswer(contentType, "The manifest; the fields `sluice-base` and `sluice-base-version` say whose"),
  },
});

export function addManifestRoutes(api: OpenAPIHono, { machine }: ControllerApiOptions): void {
  api.openapi(own, (context) => {
    const { name, version } = context.req.valid("param");
    const bytes = machine.manifestBytes(`${name}@${version}`);
    if (bytes === undefined) throw new ApiError("notFound", `there is no manifest of ${name}@${version}`);
    return context.body(new Uint8Array(bytes), 200, { "content-type": contentType });
  });
  api.openapi(base, (context) => {
    const { name, version } = context.req.valid("param");
    // A version that is still being published is no base for itself: taking it up again must scan as the first time.
    const published = machine
      .fileSets()
      .filter((candidate) => candidate.name === name && candidate.state === "published")
      .sort((left, right) => right.sequence - left.sequence);
    const same = published.find((candidate) => candidate.version === version);
    const found = same ?? published[0];
    const bytes = found === undefined ? undefined : machine.manifestBytes(found.fileSet);
    if (found === undefined || bytes === undefined) {
      throw new ApiError("notFound", `there is no published version of ${name}`);
    }
    context.header("sluice-base", same === undefined ? "predecessor" : "same");
    context.header("sluice-base-version", found.version);
    return context.body(new Uint8Array(bytes), 200, { "content-type": contentType });
  });
}
