import type { ServerResponse } from "node:http";
import type { Clock } from "../shared/clock.ts";

/**
 * Ends the connection where nobody takes an answer that was given whole: what is not taken is held in memory. Streams
 * and states, which are written bit by bit, watch their readers themselves.
 */
export function endWhereUnread(
  response: ServerResponse,
  timeoutMs: number,
  clock: Pick<Clock, "after">,
): void {
  let isTaken = (): void => undefined;
  response.once("prefinish", () => {
    isTaken = clock.after(timeoutMs, () => response.destroy());
  });
  response.once("finish", () => isTaken());
  response.once("close", () => isTaken());
}
