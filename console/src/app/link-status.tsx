import { link } from "../feed/link.ts";
import { duration } from "../words/time.ts";
import { now } from "./clock.ts";
import css from "./link-status.module.css";

/** How the connection to the bridge is, always in words. */
export function LinkStatus() {
  const state = link.value;
  if (state === undefined) return null;
  return (
    <p class={css.status} data-kind={state.kind} role="status">
      <span class={css.dot} />
      {wordsOf(state)}
    </p>
  );
}

function wordsOf(state: NonNullable<typeof link.value>): string {
  switch (state.kind) {
    case "live":
      return "Connected";
    case "connecting":
      return "Connecting";
    case "away":
      return `Reconnecting${inWords(state.retryAtMs)}: nothing is lost meanwhile`;
    case "ended":
      return `Stopped: ${state.why}`;
    default:
      return state satisfies never;
  }
}

function inWords(atMs: number): string {
  const left = atMs - now.value;
  return left > 1500 ? ` in ${duration(left)}` : "";
}
