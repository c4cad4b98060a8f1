/**
 * Labels of an agent: key=value pairs that selectors choose by.
 *
 * The keys `site` and `name` belong to every agent already and cannot be labels.
 */
import { z } from "zod";
import { UserError } from "../std/errors.ts";
import { labelKeyPattern, labelValuePattern } from "./label-text.ts";
import { maximumLabelKeyLength, maximumLabelValueLength, maximumLabels } from "./limits.ts";

export type Labels = Readonly<Record<string, string>>;

const keyRule = `a key is 1 to ${String(maximumLabelKeyLength)} letters, digits, dots, slashes, hyphens or underscores`;
const valueRule = `a value is up to ${String(maximumLabelValueLength)} letters, digits, dots, hyphens or underscores`;
const reservedKeys: readonly string[] = ["site", "name", "all"];

export const labelsSchema = z
  .record(z.string().regex(labelKeyPattern, keyRule), z.string().regex(labelValuePattern, valueRule))
  .refine((labels) => Object.keys(labels).length <= maximumLabels, {
    message: `an agent has at most ${String(maximumLabels)} labels`,
  })
  .refine((labels) => !reservedKeys.some((key) => Object.hasOwn(labels, key)), {
    message: `${reservedKeys.join(", ")} cannot be keys of labels`,
  });

/** The key and value of "key=value". Throws UserError on any other text. */
export function parseLabel(text: string): { readonly key: string; readonly value: string } {
  const equals = text.indexOf("=");
  const key = text.slice(0, Math.max(0, equals));
  const value = text.slice(equals + 1);
  const shown = JSON.stringify(text.slice(0, 200));
  if (equals < 0 || !labelKeyPattern.test(key) || !labelValuePattern.test(value)) {
    throw new UserError(`${shown} is not a label`, { hint: `write KEY=VALUE: ${keyRule}, ${valueRule}` });
  }
  if (reservedKeys.includes(key)) {
    throw new UserError(`${shown} cannot be a label: selectors use ${JSON.stringify(key)} for something else`, {
      hint: "choose another key",
    });
  }
  return { key, value };
}

/** Labels from texts "key=value". Throws UserError on any other text, a key that comes twice, and too many. */
export function parseLabels(texts: readonly string[]): Labels {
  const labels = new Map<string, string>();
  for (const text of texts) {
    const { key, value } = parseLabel(text);
    if (labels.has(key)) throw new UserError(`the label ${JSON.stringify(key)} is given twice`);
    labels.set(key, value);
  }
  if (labels.size > maximumLabels) throw new UserError(`an agent has at most ${String(maximumLabels)} labels`);
  return Object.fromEntries(labels);
}
