/** The document is one by a validator that others keep, and every operation can be called by a name of its own. */
import { strict as assert } from "node:assert";
import { describe, it } from "node:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import { createControllerApi } from "./create-api.ts";
import { openApiDocument } from "./openapi-document.ts";
import type { ControllerApiOptions } from "./route-parts.ts";

describe("the OpenAPI document", () => {
  // Routes are described without anything behind them.
  const document = openApiDocument(createControllerApi({} as ControllerApiOptions));
  const problems = async (info: object): Promise<unknown> => {
    const { valid, errors } = await new Validator().validate({ ...structuredClone(document), info });
    return valid ? undefined : (errors ?? "it is not valid");
  };

  it("is valid", async () => {
    assert.equal(await problems(document.info), undefined);
    assert.ok(await problems({ title: "no version" }), "a mistake would be found");
  });

  it("names every operation, and says how each refuses", () => {
    const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));
    const names = operations.map(({ operationId = "" }) => operationId);
    assert.ok(names.includes("getFilesetsByNameVersionsByVersion"), names.join(" "));
    assert.equal(new Set(names).size, operations.length);
    for (const { responses } of operations) assert.ok("4XX" in responses && "default" in responses);
  });
});
