import { styleText } from "node:util";
import type { Io } from "../io.ts";

const STYLES = ["bold", "dim", "red", "green", "yellow", "blue", "magenta", "cyan"] as const;

/** Colours text, or leaves it as it is. */
export type Colours = Readonly<Record<(typeof STYLES)[number], (text: string) => string>>;

/** Colours for people only: not in a pipe, and not where NO_COLOR is set (https://no-color.org). */
export function coloursFor(io: Pick<Io, "env" | "isTTY">): Colours {
  const { NO_COLOR, FORCE_COLOR } = io.env;
  const forced = FORCE_COLOR !== undefined && FORCE_COLOR !== "" && FORCE_COLOR !== "0";
  const enabled = NO_COLOR !== undefined && NO_COLOR !== "" ? false : forced || io.isTTY;
  const entries = STYLES.map((style) => [
    style,
    (text: string) => (enabled && text !== "" ? styleText(style, text, { validateStream: false }) : text),
  ]);
  return Object.fromEntries(entries) as Colours;
}
