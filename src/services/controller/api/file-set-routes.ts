/** File sets: what there is and how far it is. */
import type { VersionSummary } from "../../../protocol/views.ts";
import { didYouMean } from "../../../std/nearest.ts";
import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import { z } from "zod";
import { maximumListedFiles } from "../../../control/controller/views.ts";
import { fileListSchema, versionDetailSchema, versionSummarySchema } from "../../../protocol/views.ts";
import { ApiError } from "./api-errors.ts";
import { fileSetParams, jsonAnswer, versionParams, wholeNumber, type ControllerApiOptions } from "./route-parts.ts";

const tags = ["File sets"];

const list = createRoute({
  method: "get",
  path: "/v1/filesets",
  tags,
  summary: "Every version of every file set",
  responses: { 200: jsonAnswer(z.array(versionSummarySchema), "In no order that means anything") },
});

const versions = createRoute({
  method: "get",
  path: "/v1/filesets/{name}",
  tags,
  summary: "The versions of a file set",
  request: { params: fileSetParams },
  responses: { 200: jsonAnswer(z.array(versionSummarySchema), "At least one") },
});

const detail = createRoute({
  method: "get",
  path: "/v1/filesets/{name}/versions/{version}",
  tags,
  summary: "One version: its agents and its first files",
  request: {
    params: versionParams,
    query: z.object({
      files: z.enum(["true", "false"], "must be true or false").default("true").describe("false: leave the files out"),
    }),
  },
  responses: { 200: jsonAnswer(versionDetailSchema, "The version") },
});

const files = createRoute({
  method: "get",
  path: "/v1/filesets/{name}/versions/{version}/files",
  tags,
  summary: "The files of a version, by page",
  request: {
    params: versionParams,
    query: z.object({
      offset: wholeNumber(0, Number.MAX_SAFE_INTEGER, 0),
      limit: wholeNumber(1, maximumListedFiles, 1_000),
    }),
  },
  responses: { 200: jsonAnswer(fileListSchema, "Files in the order of the manifest") },
});

export function addFileSetRoutes(api: OpenAPIHono, { machine }: ControllerApiOptions): void {
  api.openapi(list, (context) => context.json(machine.fileSets(), 200));
  api.openapi(versions, (context) => {
    const { name } = context.req.valid("param");
    const found = machine.fileSets().filter((version) => version.name === name);
    if (found.length === 0) throw noFileSet(machine.fileSets(), name);
    return context.json(found, 200);
  });
  api.openapi(detail, (context) => {
    const { name, version } = context.req.valid("param");
    const found = machine.fileSet(name, version, context.req.valid("query").files === "true");
    if (found === undefined) throw noFileSet(machine.fileSets(), name, version);
    return context.json(found, 200);
  });
  api.openapi(files, (context) => {
    const { name, version } = context.req.valid("param");
    const { offset, limit } = context.req.valid("query");
    const found = machine.files(`${name}@${version}`, offset, limit);
    if (found === undefined) throw noFileSet(machine.fileSets(), name, version);
    return context.json(found, 200);
  });
}

/** Says what there is instead: other versions, or a name that is spelled nearly so. */
function noFileSet(all: readonly VersionSummary[], name: string, version?: string): ApiError {
  const versions = all.filter((one) => one.name === name).map((one) => one.version);
  if (version !== undefined && versions.length > 0) {
    return new ApiError("notFound", `${name} has no version ${version}; it has ${versions.join(", ")}`);
  }
  const nearest = didYouMean(name, new Set(all.map((one) => one.name)));
  return new ApiError("notFound", `there is no file set ${name}${nearest}`);
}
