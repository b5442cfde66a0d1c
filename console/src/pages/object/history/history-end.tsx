import { Notice } from "../../../ui/panel.tsx";
import { count } from "../../../words/names.ts";
import type { ObjectRecord } from "../use-object.ts";
import css from "./history.module.css";

/** Where the history begins, and why there. */
export function HistoryEnd({ record: { versions, isCut, floor } }: { record: ObjectRecord }) {
  if (isCut) {
    return (
      <Notice>
        These are the newest {count(versions.length, "event")}. There are older ones, which are not shown.
      </Notice>
    );
  }
  const first = versions.find(({ isPassed }) => !isPassed);
  const words =
    first === undefined
      ? "It has not changed since the oldest event that is kept."
      : first.event.data.op === "create"
        ? "That is all: here it was made."
        : "That is all that is kept. It was there before.";
  return (
    <p class={css.end}>
      {words} The feed keeps what came after <code>{floor}</code>.
    </p>
  );
}
