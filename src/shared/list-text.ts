/** Items that are made text at once: far less than a slice of time. */
const AT_ONCE = 32;

/** The items as the text of a JSON array, a few at a time. */
export function* listText(items: readonly object[]): Generator<void, string> {
  const texts: string[] = [];
  for (let first = 0; first < items.length; first += AT_ONCE) {
    texts.push(JSON.stringify(items.slice(first, first + AT_ONCE)).slice(1, -1));
    yield;
  }
  return `[${texts.join(",")}]`;
}
