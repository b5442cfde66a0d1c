import type { ServerResponse } from "node:http";

/**
 * Ends the connection where nobody takes an answer that was given whole: what is not taken is held in memory. Streams and
 * states, which are written bit by bit, watch their readers themselves.
 */
export function endWhereUnread(response: ServerResponse, timeoutMs: number): void {
  let timer: NodeJS.Timeout | undefined;
  response.once("prefinish", () => {
    timer = setTimeout(() => response.destroy(), timeoutMs).unref();
  });
  const isTaken = () => clearTimeout(timer);
  response.once("finish", isTaken);
  response.once("close", isTaken);
}
