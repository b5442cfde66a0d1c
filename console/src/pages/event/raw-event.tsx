import { useMemo } from "preact/hooks";
import { SERVER_URL } from "../../feed/server.ts";
import { CopyButton, Snippet } from "../../ui/copy.tsx";
import { parseExact } from "../../words/exact-json.ts";
import css from "./event.module.css";
import type { OpenEvent } from "./read-event.ts";

/** The CloudEvent as the bridge sends it: to read, and to copy byte for byte. */
export function RawEvent({ open }: { open: OpenEvent }) {
  const pretty = useMemo(() => JSON.stringify(parseExact(open.text), null, 2), [open]);
  const address = new URL(`v1/events/${encodeURIComponent(open.facts.cursor)}`, SERVER_URL).href;
  return (
    <section aria-label="CloudEvent" class={css.raw}>
      <div class={css.rawTools}>
        <CopyButton text={open.text} label="Copy as sent" />
        <CopyButton text={pretty} label="Copy as shown" />
        <span class="muted">{open.text.length.toLocaleString("en")} characters</span>
      </div>
      {open.wasLarge && (
        <p class="muted">
          It was too large to hold its object, which is at its <code>dataref</code>.
        </p>
      )}
      <pre tabIndex={0} aria-label="The CloudEvent as JSON" class={css.json}>
        <code>{pretty}</code>
      </pre>
      <h2>Read it</h2>
      <Snippet label="Command that reads the event" text={`curl '${address}'`} />
    </section>
  );
}
