import type { Exchange, Outgoing } from "./delivery/destination.ts";

/** More would be cut off. */
const LINES = 10;
const LENGTH = 1024;

/**
 * What went over a wire whose bytes are no text, for people: `request` and `answer` a line an event, and the first
 * event as it is. Neither may hold a secret.
 */
export function exchangeOf(
  [first]: readonly Outgoing[],
  { request, answer }: { readonly request: readonly string[]; readonly answer: readonly string[] },
): Exchange {
  return {
    request: shown([...request.slice(0, LINES), first?.json ?? ""]),
    answer: answer.length === 0 ? null : shown(answer.slice(0, LINES)),
  };
}

function shown(lines: readonly string[]): string {
  return lines.join("\n").slice(0, LENGTH);
}
