import css from "./severity.module.css";

/** How bad it is, as a word: colour alone says it to nobody who cannot see it. */
export function SeverityBadge({ severity }: { severity: string }) {
  return <span class={`${css.badge} ${css[severity.toLowerCase()] ?? ""}`}>{severity}</span>;
}
