/** Lists that are used as sets, where they are short or rarely changed: going through them is quicker than through a set. */

/** Takes an item out of a list, if it is in it; the others keep their order. */
export function takeOut<T>(items: T[], item: T): void {
  const index = items.indexOf(item);
  if (index < 0) return;
  if (index === items.length - 1) items.pop();
  else items.splice(index, 1);
}
