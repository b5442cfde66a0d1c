import { useState } from "preact/hooks";
import { asOf, queryValue, setQuery, type QueryChanges } from "../../app/router.ts";
import { Button } from "../../ui/button.tsx";
import { Popover } from "../../ui/popover.tsx";
import css from "./live.module.css";
import { SPANS, spanInUse } from "./span.ts";

const AGO: readonly (readonly [ms: number, words: string])[] = [
  [60_000, "1 min ago"],
  [300_000, "5 min ago"],
  [900_000, "15 min ago"],
  [3_600_000, "1 h ago"],
  [21_600_000, "6 h ago"],
  [86_400_000, "1 day ago"],
];

/** Goes to another time, or to a stretch of it. */
export function TimeMenu({ onReady }: { onReady: (open: () => void) => void }) {
  return (
    <Popover label="Time" icon="clock" hint="t" align="end" onReady={onReady}>
      {(close) => {
        const go = (changes: QueryChanges) => {
          close();
          setQuery({ at: null, from: null, to: null, ...changes }, { replace: false });
        };
        return <TimeForm go={go} />;
      }}
    </Popover>
  );
}

function TimeForm({ go }: { go: (changes: QueryChanges) => void }) {
  const [at, setAt] = useState(
    localOf(Number.isNaN(Date.parse(asOf.value)) ? Date.now() : Date.parse(asOf.value)),
  );
  const [from, setFrom] = useState(localOf(Date.parse(queryValue("from"))));
  const [to, setTo] = useState(localOf(Date.parse(queryValue("to"))));
  return (
    <div class={css.timeForm}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          go({ at: isoOf(at) });
        }}
      >
        <label>
          Jump to
          <input
            type="datetime-local"
            step="1"
            required
            value={at}
            onInput={(event) => setAt(event.currentTarget.value)}
          />
        </label>
        <Submit>Go</Submit>
      </form>
      <div class={css.quick} role="group" aria-label="Jump back">
        {AGO.map(([ms, words]) => (
          <Button key={words} onClick={() => go({ at: new Date(Date.now() - ms).toISOString() })}>
            {words}
          </Button>
        ))}
      </div>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          go({ from: isoOf(from), to: isoOf(to) });
        }}
      >
        <label>
          From
          <input
            type="datetime-local"
            step="1"
            value={from}
            onInput={(event) => setFrom(event.currentTarget.value)}
          />
        </label>
        <label>
          To
          <input
            type="datetime-local"
            step="1"
            value={to}
            onInput={(event) => setTo(event.currentTarget.value)}
          />
        </label>
        <Submit>Show</Submit>
      </form>
      <div class={css.quick} role="group" aria-label="Time of the histogram">
        {SPANS.map(([span, words]) => (
          <Button key={span} pressed={spanInUse() === span} onClick={() => go({ span })}>
            {words}
          </Button>
        ))}
      </div>
    </div>
  );
}

function Submit({ children }: { children: string }) {
  return (
    <button type="submit" class={css.submit}>
      {children}
    </button>
  );
}

/** As such inputs have it: in the reader's time zone, without naming it. */
function localOf(ms: number): string {
  if (Number.isNaN(ms)) return "";
  const date = new Date(ms);
  return new Date(ms - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

function isoOf(local: string): string {
  const ms = Date.parse(local);
  return Number.isNaN(ms) ? "" : new Date(ms).toISOString();
}
