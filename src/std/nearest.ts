/**
 * The nearest correct spelling of a mistyped word, for error messages.
 */

const longestComparedLength = 128;

/** The candidate within a few typing mistakes of `text` (a third of its length, at least one), the nearest first come; or undefined. */
export function nearestSpelling(text: string, candidates: Iterable<string>): string | undefined {
  if (text.length > longestComparedLength) return undefined;
  let nearest: string | undefined;
  let nearestDistance = Math.max(1, Math.floor(text.length / 3)) + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - text.length) >= nearestDistance) continue;
    const distance = editDistance(text.toLowerCase(), candidate.toLowerCase());
    if (distance < nearestDistance) {
      nearest = candidate;
      nearestDistance = distance;
    }
  }
  return nearest;
}

/** ` (did you mean X?)`, for the end of a message; empty where nothing is near. */
export function didYouMean(text: string, candidates: Iterable<string>): string {
  const nearest = nearestSpelling(text, candidates);
  return nearest === undefined ? "" : ` (did you mean ${nearest}?)`;
}

/** Insertions, deletions and replacements of one character, and neighbours that changed places ("optimal string alignment"). */
function editDistance(left: string, right: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const replaced = (previous[column - 1] ?? 0) + (left[row - 1] === right[column - 1] ? 0 : 1);
      const removed = (previous[column] ?? 0) + 1;
      const inserted = (current[column - 1] ?? 0) + 1;
      const isSwapped = left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      const swapped = row > 1 && column > 1 && isSwapped ? (beforePrevious[column - 2] ?? 0) + 1 : Infinity;
      current.push(Math.min(replaced, removed, inserted, swapped));
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[right.length] ?? 0;
}
