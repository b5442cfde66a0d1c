import type { ComponentChildren } from "preact";
import css from "./button.module.css";
import { Icon, type IconName } from "./icon.tsx";

interface ButtonProps {
  readonly onClick: (event: MouseEvent) => void;
  readonly children?: ComponentChildren;
  readonly icon?: IconName;
  /** What it does, where it shows an icon alone; else what it says on hover. */
  readonly label?: string;
  readonly kind?: "plain" | "primary" | "danger" | "bare";
  /** Of a button that stays down. */
  readonly pressed?: boolean;
  /** Of a button that opens something below it. */
  readonly expanded?: boolean;
  readonly disabled?: boolean;
  /** The key that does the same, for the hover. */
  readonly hint?: string;
}

export function Button({
  onClick,
  children,
  icon,
  label,
  kind = "plain",
  pressed,
  expanded,
  disabled,
  hint,
}: ButtonProps) {
  const title = [label, hint === undefined ? "" : `(${hint})`].filter(Boolean).join(" ");
  return (
    <button
      type="button"
      class={`${css.button} ${css[kind] ?? ""}`}
      onClick={onClick}
      {...(children === undefined && { "aria-label": label })}
      {...(title !== "" && { title })}
      {...(pressed !== undefined && { "aria-pressed": pressed })}
      {...(expanded !== undefined && { "aria-expanded": expanded, "aria-haspopup": "dialog" as const })}
      {...(disabled !== undefined && { disabled })}
    >
      {icon !== undefined && <Icon name={icon} size={15} />}
      {children}
    </button>
  );
}
