import type { ComponentChildren } from "preact";
import css from "./chip.module.css";
import { Icon } from "./icon.tsx";

interface ChipProps {
  readonly children: ComponentChildren;
  readonly tone?: "plain" | "accent" | "ok" | "warn" | "error" | "info" | "past";
  readonly onClick?: (event: MouseEvent) => void;
  readonly onRemove?: () => void;
  readonly title?: string;
  /** What taking it away is called. */
  readonly removeLabel?: string;
}

/** A small word: a state, a signal, a condition of a filter. */
export function Chip({ children, tone = "plain", onClick, onRemove, title, removeLabel }: ChipProps) {
  const look = `${css.chip} ${css[tone] ?? ""}`;
  const hover = title === undefined ? {} : { title };
  if (onClick !== undefined) {
    return (
      <button type="button" class={`${look} ${css.action}`} onClick={onClick} {...hover}>
        {children}
      </button>
    );
  }
  return (
    <span class={look} {...hover}>
      {children}
      {onRemove !== undefined && (
        <button type="button" class={css.remove} aria-label={removeLabel ?? "Remove"} onClick={onRemove}>
          <Icon name="close" size={10} />
        </button>
      )}
    </span>
  );
}
