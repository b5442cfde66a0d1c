import type { Clock } from "./clock.ts";

/** Whether the work ended, well or not, before so much time was over. What has not ended goes on. */
export async function endsWithin(
  ms: number,
  work: Promise<unknown>,
  clock: Pick<Clock, "sleep">,
): Promise<boolean> {
  const over = new AbortController();
  const ended = () => true;
  const isDone = await Promise.race([
    work.then(ended, ended),
    clock.sleep(ms, over.signal).then(() => false),
  ]);
  over.abort();
  return isDone;
}
