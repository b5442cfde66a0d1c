import type { AlertDestination } from "nomad-changefeed-client";
import { href } from "../../app/router.ts";
import { Chip } from "../../ui/chip.tsx";
import { Panel } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";
import { count } from "../../words/names.ts";
import css from "./alerts.module.css";

const TONES = { ok: "ok", retrying: "warn", "circuit-open": "error", paused: "info" } as const;
const WORDS = {
  ok: "told",
  retrying: "trying again",
  "circuit-open": "does not take it",
  paused: "paused",
} as const;

/** How those stand that alerts go to. */
export function ToldPanel({ destinations }: { destinations: readonly AlertDestination[] }) {
  if (destinations.length === 0) return null;
  return (
    <Panel title="Who is told" flush>
      <ul class={css.list}>
        {destinations.map(({ name, target, state, reason, lastOkAt, waiting }) => (
          <li key={`${name}${target}`} class={css.told}>
            <a href={href(["deliveries", name])} class={css.toldName}>
              {name}
            </a>
            <Chip tone={TONES[state]}>{WORDS[state]}</Chip>
            <span class={css.toldWords}>
              {reason ?? target}
              {waiting > 0 && ` · ${count(waiting, "message")} waiting`}
            </span>
            <span class={css.when}>{lastOkAt !== null && <Time at={lastOkAt} as="age" />}</span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
