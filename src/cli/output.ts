/** What commands print on standard output. */

let isAnswered = false;

/** The JSON of a view where programs read, else the text for people. */
export function print(json: boolean | undefined, view: unknown, text: () => string): void {
  isAnswered = true;
  process.stdout.write(json ? `${JSON.stringify(view, null, 2)}\n` : text());
}

/** An error for programs, unless they have had an answer: there is one document at most on standard output. */
export function printError(error: object): void {
  if (!isAnswered) print(true, { error }, () => "");
}

/** A share as people read it: `45.2 %`; never 100 before it is whole. */
export function formatShare(part: number, whole: number): string {
  if (whole <= 0) return "-";
  const tenths = Math.floor((1000 * part) / whole);
  return tenths >= 1000 ? "100 %" : `${(tenths / 10).toFixed(1)} %`;
}

/** A date as people read it, to the second, in UTC. */
export function formatDate(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 19).replace("T", " ");
}

/** What is said when all targets of a version have it. */
export function targetsText(count: number): string {
  if (count === 0) return "no agent is to hold it";
  return count === 1 ? "its target holds it" : `all ${count} targets hold it`;
}
