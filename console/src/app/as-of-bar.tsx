import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { Button } from "../ui/button.tsx";
import { Time } from "../ui/time.tsx";
import { age, localText, timeOfDay } from "../words/time.ts";
import { asOfMs } from "./as-of.ts";
import css from "./as-of-bar.module.css";
import { now } from "./clock.ts";
import { useOldestMs } from "./use-oldest.ts";
import { useCommands, type Command } from "./keys.ts";
import { asOf, setQuery } from "./router.ts";

const MINUTE_MS = 60_000;
const QUICK = [
  { words: "1 min", ms: MINUTE_MS },
  { words: "10 min", ms: 10 * MINUTE_MS },
  { words: "1 h", ms: 60 * MINUTE_MS },
  { words: "1 d", ms: 24 * 60 * MINUTE_MS },
] as const;

const asOfBarIsOpen = signal(false);

/** Opens what chooses another time; says which time is shown. */
export function AsOfButton() {
  const at = asOf.value;
  const toggle = () => {
    asOfBarIsOpen.value = !asOfBarIsOpen.value;
  };
  useCommands([{ group: "Time", words: "Show another time", keys: "t", run: toggle }], { isOfFrame: true });
  return (
    <Button
      icon="clock"
      label="Show another time"
      hint="t"
      pressed={asOfBarIsOpen.value || at !== ""}
      onClick={toggle}
    >
      <span class={css.buttonText}>{at === "" ? "Now" : textOf(at)}</span>
    </Button>
  );
}

/** Where one goes to another time, and back: everything on the page is as of then. */
export function AsOfBar() {
  const at = asOf.value;
  const atMs = asOfMs.value;
  const oldestMs = useOldestMs();
  const isPast = at !== "";
  useCommands(isPast ? commandsOf(atMs) : [], { isOfFrame: true });
  if (!isPast && !asOfBarIsOpen.value) return null;
  return (
    <section class={css.bar} data-past={isPast ? "" : undefined} aria-label="Time shown">
      <p class={css.words} role="status">
        {isPast ? (
          <>
            As of <AsOfTime at={at} />: what is shown is how it was then.
          </>
        ) : (
          "What is shown is how it is now."
        )}
      </p>
      <div class={css.quick} role="group" aria-label="How long ago">
        {QUICK.map(({ words, ms }) => (
          <Button
            key={words}
            label={`${words} ago`}
            disabled={oldestMs !== undefined && now.value - ms < oldestMs}
            onClick={() => showMs(Date.now() - ms)}
          >
            {words}
          </Button>
        ))}
      </div>
      <DateInput atMs={atMs} oldestMs={oldestMs} />
      <Slider atMs={atMs} oldestMs={oldestMs} />
      {isPast ? (
        <Button onClick={toNow} hint="n">
          Back to now
        </Button>
      ) : (
        <Button
          icon="close"
          kind="bare"
          label="Close"
          onClick={() => {
            asOfBarIsOpen.value = false;
          }}
        />
      )}
    </section>
  );
}

function toNow(): void {
  asOfBarIsOpen.value = false;
  setQuery({ at: null }, { replace: false });
}

/** From now to then is a step that the browser's back undoes; from one time to another is none. */
function showMs(ms: number): void {
  setQuery({ at: new Date(Math.min(ms, Date.now())).toISOString() }, { replace: asOf.value !== "" });
}

function commandsOf(atMs: number | undefined): Command[] {
  const move = (byMs: number) => () => {
    if (atMs !== undefined) showMs(atMs + byMs);
  };
  const group = "Time";
  return [
    { group, words: "Back to now", keys: "n", run: toNow },
    { group, words: "A minute earlier", keys: "[", run: move(-MINUTE_MS) },
    { group, words: "A minute later", keys: "]", run: move(MINUTE_MS) },
  ];
}

function AsOfTime({ at }: { at: string }) {
  const ms = asOfMs.value;
  return ms === undefined ? <code>{at}</code> : <Time at={new Date(ms).toISOString()} as="clock" />;
}

function textOf(at: string): string {
  return asOfMs.value === undefined ? at : timeOfDay(asOfMs.value, now.value);
}

interface Range {
  readonly atMs: number | undefined;
  readonly oldestMs: number | undefined;
}

function DateInput({ atMs, oldestMs }: Range) {
  return (
    <input
      class={css.date}
      type="datetime-local"
      step="1"
      aria-label="Date and time"
      value={localText(atMs ?? now.value)}
      max={localText(now.value)}
      {...(oldestMs !== undefined && { min: localText(oldestMs) })}
      onChange={(event) => {
        const ms = new Date(event.currentTarget.value).getTime();
        if (!Number.isNaN(ms)) showMs(ms);
      }}
    />
  );
}

const SETTLE_MS = 120;

/** All the time that the log can tell of, from end to end. */
function Slider({ atMs, oldestMs }: Range) {
  const [draggedMs, drag] = useState<number>();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  if (oldestMs === undefined) return <span class={css.slider} />;
  const ms = draggedMs ?? atMs ?? now.value;
  return (
    <span class={css.slider}>
      <span class={css.end}>
        oldest <Time at={new Date(oldestMs).toISOString()} as="clock" />
      </span>
      <input
        type="range"
        aria-label="Time"
        aria-valuetext={`${timeOfDay(ms, now.value)}, ${age(ms, now.value)}`}
        min={oldestMs}
        max={now.value}
        step={1000}
        value={ms}
        onInput={(event) => {
          const chosen = Number(event.currentTarget.value);
          drag(chosen);
          clearTimeout(timer.current);
          timer.current = setTimeout(() => {
            showMs(chosen);
            drag(undefined);
          }, SETTLE_MS);
        }}
      />
      <span class={css.end}>{draggedMs === undefined ? "now" : timeOfDay(ms, now.value)}</span>
    </span>
  );
}
