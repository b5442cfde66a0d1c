import { plainText } from "../schemas/terminal-text.ts";

/** How much of a log is read, and how much of that is kept. */
export const LOG_BYTES = 4096;
const MAX_LINES = 20;

/** Colours and the like. */
// oxlint-disable-next-line no-control-regex
const ESCAPES = /\u001B\[[\d;?]*[ -/]*[@-~]/g;

/** The last lines of the last bytes of a log, without what steers a terminal. The first may be the end of a longer one. */
export function logLines(tail: Buffer): string[] {
  const lines = tail
    .toString("utf8")
    .split(/\r?\n/)
    .map((line) => plainText(line.replaceAll(ESCAPES, "").replaceAll("\t", "  ")));
  if (lines.at(-1) === "") lines.pop();
  const whole = tail.length < LOG_BYTES || lines.length < 2 ? lines : lines.slice(1);
  return whole.slice(-MAX_LINES);
}
