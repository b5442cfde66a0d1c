import css from "./changes.module.css";

/** `/TaskStates/main/State` as `TaskStates › main › State`. */
export function PointerPath({ pointer }: { pointer: string }) {
  const names = pointer
    .split("/")
    .slice(1)
    .map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~"));
  const last = names.at(-1) ?? "";
  return (
    <span class={css.path} title={pointer}>
      {names.slice(0, -1).map((name, at) => (
        <span key={at} class="muted">
          {name}
          {" › "}
        </span>
      ))}
      <strong>{last}</strong>
    </span>
  );
}
