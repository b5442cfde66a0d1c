import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { Button } from "./button.tsx";
import type { IconName } from "./icon.tsx";
import css from "./popover.module.css";

interface PopoverProps {
  /** What opens, for those who hear it; also the button's text, unless it shows an icon alone. */
  readonly label: string;
  readonly icon?: IconName;
  readonly iconOnly?: boolean;
  readonly hint?: string;
  readonly children: (close: () => void) => ComponentChildren;
  /** Which edges of button and panel meet. */
  readonly align?: "start" | "end";
  /** To open it from outside: given what opens it. */
  readonly onReady?: (open: () => void) => void;
}

/** A button, and what it opens below it: closed by Escape, by a click elsewhere, by leaving it. */
export function Popover({
  label,
  icon,
  iconOnly = false,
  hint,
  children,
  align = "start",
  onReady,
}: PopoverProps) {
  const [isOpen, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const id = useId();
  const close = () => {
    setOpen(false);
    root.current?.querySelector("button")?.focus();
  };
  useEffect(() => onReady?.(() => setOpen(true)), []);
  useClosing(root, isOpen, setOpen, close);
  return (
    <div ref={root} class={css.root}>
      <Button
        {...(icon !== undefined && { icon })}
        {...(hint !== undefined && { hint })}
        {...(iconOnly && { label, kind: "bare" as const })}
        expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
      >
        {iconOnly ? undefined : label}
      </Button>
      {isOpen && (
        <div id={id} class={css.panel} data-align={align} role="dialog" aria-label={label}>
          {children(close)}
        </div>
      )}
    </div>
  );
}

function useClosing(
  root: { readonly current: HTMLElement | null },
  isOpen: boolean,
  setOpen: (isOpen: boolean) => void,
  close: () => void,
): void {
  useEffect(() => {
    if (!isOpen) return undefined;
    const panel = root.current?.querySelector<HTMLElement>("[role=dialog]");
    panel?.querySelector<HTMLElement>("input, select, textarea, button, a")?.focus();
    const onPointer = ({ target }: PointerEvent) => {
      if (target instanceof Node && root.current?.contains(target) === false) setOpen(false);
    };
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      close();
    };
    addEventListener("pointerdown", onPointer, true);
    addEventListener("keydown", onKey, true);
    return () => {
      removeEventListener("pointerdown", onPointer, true);
      removeEventListener("keydown", onKey, true);
    };
  }, [isOpen]);
}
