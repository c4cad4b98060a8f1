/** What an operator orders of file sets: activate, pause, resume, remove. */
import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import { z } from "zod";
import { versionSchema } from "../../../model/names.ts";
import { doneViewSchema, removedViewSchema } from "../../../protocol/views.ts";
import {
  fileSetParams,
  flagSchema,
  jsonAnswer,
  resultOf,
  versionParams,
  type ControllerApiOptions,
} from "./route-parts.ts";

const tags = ["File sets"];
const done = { 200: jsonAnswer(doneViewSchema, "What was done") };

const activate = createRoute({
  method: "post",
  path: "/v1/filesets/{name}/versions/{version}/activate",
  tags,
  summary: "Make this version the one in use: agents point `current` to it as soon as they hold it whole",
  request: { params: versionParams },
  responses: done,
});

const remove = createRoute({
  method: "delete",
  path: "/v1/filesets/{name}/versions/{version}",
  tags,
  summary: "Remove a version everywhere; a publish under way is aborted",
  request: {
    params: versionParams,
    query: z.object({ force: flagSchema.describe("also the active version") }),
  },
  responses: { 200: jsonAnswer(removedViewSchema, "What agents delete") },
});

const pauseRequest = {
  params: fileSetParams,
  query: z.object({ version: versionSchema.optional().describe("all versions when left out") }),
};

const pause = createRoute({
  method: "post",
  path: "/v1/filesets/{name}/pause",
  tags,
  summary: "Schedule no more transfers of it",
  request: pauseRequest,
  responses: done,
});

const resume = createRoute({
  method: "post",
  path: "/v1/filesets/{name}/resume",
  tags,
  summary: "Go on with it",
  request: pauseRequest,
  responses: done,
});

export function addFileSetOrderRoutes(api: OpenAPIHono, { ask }: ControllerApiOptions): void {
  api.openapi(activate, async (context) => {
    const reply = await ask({ type: "activate", ...context.req.valid("param") });
    return context.json(resultOf(doneViewSchema, reply), 200);
  });
  api.openapi(remove, async (context) => {
    const { force } = context.req.valid("query");
    const reply = await ask({ type: "removeFileSet", ...context.req.valid("param"), force });
    return context.json(resultOf(removedViewSchema, reply), 200);
  });
  const setPaused = async (type: "pause" | "resume", name: string, version: string | undefined) =>
    resultOf(doneViewSchema, await ask({ type, name, ...(version === undefined ? {} : { version }) }));
  api.openapi(pause, async (context) => {
    const { name } = context.req.valid("param");
    return context.json(await setPaused("pause", name, context.req.valid("query").version), 200);
  });
  api.openapi(resume, async (context) => {
    const { name } = context.req.valid("param");
    return context.json(await setPaused("resume", name, context.req.valid("query").version), 200);
  });
}
