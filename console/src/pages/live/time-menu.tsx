import { useState } from "preact/hooks";
import { queryValue, setQuery, type QueryChanges } from "../../app/router.ts";
import { Button } from "../../ui/button.tsx";
import { SubmitButton } from "../../ui/form.tsx";
import { isNarrow } from "../../ui/narrow.ts";
import { Popover } from "../../ui/popover.tsx";
import { localText, msOfTime } from "../../words/time.ts";
import css from "./live.module.css";
import { SPANS, spanInUse } from "./span.ts";

/** Shows a stretch of time, and says how far back the histogram looks. */
export function TimeMenu({ onReady }: { onReady: (open: () => void) => void }) {
  return (
    <Popover label="Range" icon="clock" iconOnly={isNarrow.value} hint="r" align="end" onReady={onReady}>
      {(close) => {
        const go = (changes: QueryChanges) => {
          close();
          setQuery({ from: null, to: null, ...changes }, { replace: false });
        };
        return <TimeForm go={go} />;
      }}
    </Popover>
  );
}

function TimeForm({ go }: { go: (changes: QueryChanges) => void }) {
  const [from, setFrom] = useState(localOf(queryValue("from")));
  const [to, setTo] = useState(localOf(queryValue("to")));
  const onSubmit = (event: Event) => {
    event.preventDefault();
    go({ at: null, from: isoOf(from), to: isoOf(to) });
  };
  return (
    <div class={css.timeForm}>
      <form onSubmit={onSubmit}>
        <TimeInput label="Only from" value={from} onChange={setFrom} />
        <TimeInput label="to" value={to} onChange={setTo} />
        <SubmitButton>Show</SubmitButton>
      </form>
      <h2>The histogram looks back</h2>
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

function TimeInput({
  label,
  value,
  onChange,
}: {
  label: string;
  value: string;
  onChange: (value: string) => void;
}) {
  return (
    <label>
      {label}
      <input
        type="datetime-local"
        step="1"
        value={value}
        onInput={(event) => onChange(event.currentTarget.value)}
      />
    </label>
  );
}

function localOf(time: string): string {
  const ms = msOfTime(time);
  return ms === undefined ? "" : localText(ms);
}

function isoOf(local: string): string {
  const ms = Date.parse(local);
  return Number.isNaN(ms) ? "" : new Date(ms).toISOString();
}
