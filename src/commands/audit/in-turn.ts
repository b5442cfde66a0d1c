/** Results of `read(0)` … `read(count - 1)` in this order, a few read ahead. */
export async function* inTurn<Result>(
  count: number,
  read: (index: number) => Promise<Result>,
  ahead = 4,
): AsyncGenerator<Result> {
  const running: Promise<Result>[] = [];
  let started = 0;
  for (let index = 0; index < count; index++) {
    while (started < Math.min(count, index + ahead)) {
      const next = read(started++);
      // Whoever awaits it hears of it; those after it nobody awaits.
      next.catch(() => undefined);
      running.push(next);
    }
    const next = running.shift();
    if (next !== undefined) yield await next;
  }
}
