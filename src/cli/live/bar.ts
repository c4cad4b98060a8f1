/** Bars of characters. */

const filled = "█";
const empty = "░";
/** For terminals whose language has no such characters. */
const plainFilled = "#";
const plainEmpty = "-";

/** Whether this terminal shows more than ASCII, by what its language says. */
export function showsUnicode(environment: Readonly<Record<string, string | undefined>>): boolean {
  const language = environment["LC_ALL"] || environment["LC_CTYPE"] || environment["LANG"] || "";
  return /utf-?8/i.test(language);
}

/** A bar of this width; full only when all of it is there, empty only when nothing is. */
export function bar(part: number, whole: number, width: number, unicode: boolean): string {
  const share = whole > 0 ? Math.min(1, Math.max(0, part / whole)) : 0;
  let length = Math.round(share * width);
  if (share < 1) length = Math.min(length, width - 1);
  if (share > 0) length = Math.max(length, 1);
  return (unicode ? filled : plainFilled).repeat(length) + (unicode ? empty : plainEmpty).repeat(width - length);
}
