/** Text from outside, made safe to show: a name with control characters in it must not move the cursor or fake a line. */

// Control characters (C0, delete, C1), line and paragraph separators, and the marks that turn the writing direction around.
// oxlint-disable-next-line eslint/no-control-regex -- control characters are what this is about
const unprintable = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** The text with each of those as `\u001b` and the like. */
export function printable(text: string): string {
  return text.replaceAll(unprintable, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
