import { namesIn } from "../../words/pointer.ts";
import css from "./changes.module.css";

/** `/TaskStates/main/State` as `TaskStates › main › State`. */
export function PointerPath({ pointer }: { pointer: string }) {
  const names = namesIn(pointer);
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
