/**
 * Writes the reference parts of docs/api.md and docs/metrics.md from the built code: the API from its OpenAPI document,
 * the metrics from the registries that the programs really have. `npm run docs:api` writes, scripts/check-docs.mjs compares.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { repositoryRoot } from "./lib.mjs";

const begin = "<!-- generated: npm run docs:api -->";
const end = "<!-- end of what is generated -->";

const built = (path) => join(repositoryRoot, "dist", path);
const load = async (path) => import(pathToFileURL(built(path)).href);

/** What differs between the pages and the code: lines to tell; none when all is current. */
export async function apiPageProblems() {
  if (!existsSync(built("services/controller/api/create-api.js"))) return ["docs/api.md: build first: npm run build"];
  const problems = [];
  for (const { path, text } of await pages()) {
    const page = join(repositoryRoot, path);
    if (!existsSync(page) || replaced(readFileSync(page, "utf8"), text) !== readFileSync(page, "utf8")) {
      problems.push(`${path} does not say what the code says: run npm run docs:api`);
    }
  }
  return problems;
}

async function pages() {
  return [
    { path: "docs/api.md", text: await apiReference() },
    { path: "docs/metrics.md", text: await metricsReference() },
  ];
}

function replaced(page, text) {
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from) throw new Error(`a page lacks its marks: ${begin} ... ${end}`);
  return `${page.slice(0, from)}${begin}\n\n${text.trim()}\n\n${page.slice(to)}`;
}

async function apiReference() {
  const { createControllerApi } = await load("services/controller/api/create-api.js");
  const { openApiDocument } = await load("services/controller/api/openapi-document.js");
  const reading = await load("services/controller/api/openapi-reading.js");
  const document = openApiDocument(createControllerApi({}));
  const groups = new Map();
  for (const listed of reading.listOperations(document)) {
    const tag = listed.operation.tags?.[0] ?? "Other";
    groups.set(tag, [...(groups.get(tag) ?? []), listed]);
  }
  const lines = [];
  for (const [tag, operations] of groups) {
    lines.push(`### ${tag}`, "", "| request | what it does | parameters | answer |", "|---|---|---|---|");
    for (const { method, path, operation } of operations) {
      lines.push(
        row(
          `\`${method.toUpperCase()} ${path}\``,
          operation.summary ?? "",
          parametersText(operation, reading),
          answerText(operation, reading),
        ),
      );
    }
    lines.push("");
  }
  lines.push("## Schemas", "", "A question mark: the field may be left out.", "");
  for (const [name, schema] of Object.entries(document.components?.schemas ?? {}).sort(([one], [other]) =>
    one < other ? -1 : 1,
  )) {
    lines.push(`### ${name}`, "");
    if (schema.description !== undefined) lines.push(schema.description, "");
    const fields = reading.schemaFields(schema);
    if (fields.length === 0) lines.push(`\`${reading.schemaText(schema)}\``, "");
    else {
      lines.push("| field | type | |", "|---|---|---|");
      for (const { field, type, description } of fields) lines.push(row(`\`${field}\``, `\`${type}\``, description));
      lines.push("");
    }
  }
  return lines.join("\n");
}

function parametersText({ parameters = [], requestBody }, { schemaText }) {
  const texts = parameters
    .filter(({ in: place }) => place !== "path")
    .map(({ name, description, schema }) => {
      const fallback = schema?.default === undefined ? "" : `; ${JSON.stringify(schema.default)} when left out`;
      return `\`${name}\` (${schemaText(schema)}${fallback})${description === undefined ? "" : `: ${description}`}`;
    });
  if (requestBody !== undefined) {
    texts.push(`body: ${requestBody.description ?? ""} (${Object.keys(requestBody.content).join(", ")})`);
  }
  return texts.join("<br>");
}

function answerText({ responses }, { schemaText }) {
  const { description, content = {} } = responses["200"] ?? { description: "" };
  const forms = Object.entries(content).map(([type, { schema }]) =>
    type === "application/json" ? `\`${schemaText(schema)}\`` : type,
  );
  return `${description}: ${forms.join(", ")}`;
}

async function metricsReference() {
  const { ControllerMetrics } = await load("services/controller/metrics/controller-metrics.js");
  const { AgentMetrics } = await load("services/agent/agent-metrics.js");
  const lines = [];
  for (const [title, { registry }] of [
    ["Controller", new ControllerMetrics()],
    ["Agent", new AgentMetrics("site")],
  ]) {
    lines.push(`### ${title}`, "", "| metric | type | labels | what it says |", "|---|---|---|---|");
    for (const metric of registry.getMetricsAsArray().filter(({ name }) => name.startsWith("sluice_"))) {
      const labels = metric.labelNames.filter((label) => label !== "le").map((label) => `\`${label}\``);
      lines.push(row(`\`${metric.name}\``, metric.type, labels.join(", "), metric.help));
    }
    lines.push("");
  }
  return lines.join("\n");
}

/** One row of a table: a bar within a cell would end it. */
function row(...cells) {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const { path, text } of await pages()) {
    const page = join(repositoryRoot, path);
    writeFileSync(page, replaced(readFileSync(page, "utf8"), text));
  }
  process.exit();
}
