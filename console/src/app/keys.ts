import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { tinykeys } from "tinykeys";

/** What a key or a chosen command does. */
export interface Command {
  /** For people: "Pause". */
  readonly words: string;
  readonly run: () => void;
  /** As tinykeys has it: "j", "g l", "$mod+k". Absent: only in the palette. */
  readonly keys?: string;
  /** Under which heading it stands in the palette and in the help. */
  readonly group: string;
}

/** All that can be done right now: what was offered last comes first, and what is always there last. */
export const commands = signal<readonly Command[]>([]);

/** Keys of a sequence follow one another within this; tinykeys has it so. */
const SEQUENCE_MS = 1000;

/**
 * Offers commands for as long as the component is there: by key, in the palette and in the help. Where a key has several,
 * the first of `commands` is meant: a page's goes before the frame's.
 */
export function useCommands(offered: readonly Command[], { isOfFrame = false } = {}): void {
  const latest = useRef(offered);
  latest.current = offered;
  const names = offered.map(({ words, keys = "", group }) => `${group}|${words}|${keys}`).join("\n");
  useEffect(() => {
    const mine = latest.current.map((command, at) => ({
      ...command,
      run: () => latest.current[at]?.run(),
    }));
    commands.value = isOfFrame ? [...commands.value, ...mine] : [...mine, ...commands.value];
    const unbind = tinykeys(window, bindingsOf(mine));
    return () => {
      unbind();
      commands.value = commands.value.filter((command) => !mine.some((own) => own === command));
    };
  }, [names]);
}

function bindingsOf(mine: readonly Command[]): Record<string, (event: KeyboardEvent) => void> {
  return Object.fromEntries(
    mine.flatMap(({ keys, run }) => {
      if (keys === undefined) return [];
      const onKey = (event: KeyboardEvent) => {
        if (isTyping(event) && keys !== "Escape" && !keys.startsWith("$mod")) return;
        // What is open above the page takes its keys itself.
        if (isInDialog(event) && !keys.startsWith("$mod")) return;
        if (isPressing(event, keys) || isSecondOfTwo(event, keys)) return;
        if (commands.value.find((command) => command.keys === keys)?.run !== run) return;
        event.preventDefault();
        run();
      };
      return [[keys, onKey]];
    }),
  );
}

/** What has the focus, in a shadow root too. */
function targetOf(event: KeyboardEvent): EventTarget | null {
  return event.composedPath()[0] ?? event.target;
}

function isTyping(event: KeyboardEvent): boolean {
  const target = targetOf(event);
  return (
    target instanceof HTMLElement && (target.isContentEditable || target.matches("input, textarea, select"))
  );
}

function isInDialog(event: KeyboardEvent): boolean {
  const target = targetOf(event);
  if (document.querySelector("dialog[open]") !== null) return true;
  return target instanceof Element && target.closest('[role="dialog"]') !== null;
}

/** Enter and Space press what has the focus, before they mean anything else. */
function isPressing(event: KeyboardEvent, keys: string): boolean {
  const target = targetOf(event);
  return (
    (keys === "Enter" || keys === "Space") &&
    target instanceof Element &&
    target.closest("a[href], button, summary, [role=tab]") !== null
  );
}

let last = { key: "", atMs: 0 };
let before = last;
addEventListener(
  "keydown",
  ({ key, timeStamp }) => {
    before = last;
    last = { key, atMs: timeStamp };
  },
  { capture: true },
);

/** The d of "g d" is no d. */
function isSecondOfTwo({ key }: KeyboardEvent, keys: string): boolean {
  if (keys.includes(" ") || last.atMs - before.atMs > SEQUENCE_MS) return false;
  return commands.value.some((command) => command.keys === `${before.key} ${key}`);
}

/** A key as people read it. */
export function keyNames(keys: string): string[] {
  const isMac = navigator.userAgent.includes("Mac");
  return keys.split(" ").map((press) =>
    press
      .replace("$mod", isMac ? "⌘" : "Ctrl")
      .replace("Shift+?", "?")
      .replace("Escape", "Esc")
      .replace("Enter", "↵"),
  );
}
