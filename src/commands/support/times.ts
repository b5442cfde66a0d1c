import { plainText } from "../../schemas/terminal-text.ts";

/** A time for people, by the one rule of all commands: RFC 3339 in UTC, to the second. */
export function timeText(time: string): string {
  const at = new Date(time);
  return Number.isNaN(at.getTime()) ? plainText(time) : `${at.toISOString().slice(0, 19)}Z`;
}
