/** Which texts can stand in labels and selectors. Free of any package, since the dashboard reads selectors too. */
import { maximumLabelKeyLength, maximumLabelValueLength } from "./limits.ts";

export const labelKeyPattern = new RegExp(`^[A-Za-z0-9][A-Za-z0-9._/-]{0,${String(maximumLabelKeyLength - 1)}}$`);
export const labelValuePattern = new RegExp(`^[A-Za-z0-9._-]{0,${String(maximumLabelValueLength)}}$`);

/** Whether `text` can be a key in a selector: that of a label, or `site` or `name`. */
export function isLabelKey(text: string): boolean {
  return labelKeyPattern.test(text);
}

/** Whether `text` can be the value of a label. */
export function isLabelValue(text: string): boolean {
  return labelValuePattern.test(text);
}
