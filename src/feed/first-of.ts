/** The first items of what comes in batches. */
export async function firstOf<Item>(batches: AsyncIterable<Item[]>, limit: number): Promise<Item[]> {
  const found: Item[] = [];
  if (limit <= 0) return found;
  for await (const batch of batches) {
    found.push(...batch);
    if (found.length >= limit) break;
  }
  return found.slice(0, limit);
}
