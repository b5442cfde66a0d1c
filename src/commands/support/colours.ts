import { styleText } from "node:util";
import type { Io } from "../io.ts";

const STYLES = ["bold", "dim", "red", "green", "yellow", "blue", "magenta", "cyan"] as const;

/** Colours text, or leaves it as it is. */
export type Colours = Readonly<Record<(typeof STYLES)[number], (text: string) => string>>;

/** Whether to colour: for people only, so not in a pipe, and not where NO_COLOR is set (https://no-color.org). */
export function wantsColours(env: Io["env"], isTTY: boolean): boolean {
  const { NO_COLOR, FORCE_COLOR } = env;
  if (NO_COLOR !== undefined && NO_COLOR !== "") return false;
  return isTTY || (FORCE_COLOR !== undefined && FORCE_COLOR !== "" && FORCE_COLOR !== "0");
}

/** Colours for what goes to stdout. */
export function coloursFor(io: Pick<Io, "env" | "isTTY">): Colours {
  return colours(wantsColours(io.env, io.isTTY));
}

/** Colours for what goes to stderr. */
export function stderrColoursFor(io: Pick<Io, "env" | "stderrIsTTY">): Colours {
  return colours(wantsColours(io.env, io.stderrIsTTY));
}

function colours(enabled: boolean): Colours {
  const entries = STYLES.map((style) => [
    style,
    (text: string) => (enabled && text !== "" ? styleText(style, text, { validateStream: false }) : text),
  ]);
  return Object.fromEntries(entries) as Colours;
}
