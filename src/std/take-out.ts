/** Takes an item out of a list whose order does not matter, in place. */
export function takeOut<T>(items: T[], item: T): void {
  const index = items.indexOf(item);
  if (index < 0) return;
  const last = items.pop();
  if (last !== undefined && last !== item) items[index] = last;
}
