import type { DeadLetter, DeliveryDetails } from "nomad-changefeed-client";
import { useEffect, useState } from "preact/hooks";
import { eventHref } from "../../app/router.ts";
import { api } from "../../feed/api.ts";
import { useLoaded } from "../../feed/use-loaded.ts";
import { Button } from "../../ui/button.tsx";
import { Empty, Failure, Panel, Skeleton } from "../../ui/panel.tsx";
import { Subject } from "../../ui/subject.tsx";
import { Time } from "../../ui/time.tsx";
import { count } from "../../words/names.ts";
import css from "./deliveries.module.css";

const SHOWN = 200;

interface DeadLettersProps {
  readonly delivery: DeliveryDetails;
  readonly onDone: () => void;
}

/** What the destination would not take: to be sent once more, or forgotten. */
export function DeadLetters({ delivery: { name, deadLetters, kind }, onDone }: DeadLettersProps) {
  const loaded = useLoaded(`letters ${name}`, (signal) =>
    kind === "alerts" ? Promise.resolve([]) : api(signal).deadLetters(name, { limit: SHOWN }),
  );
  useEffect(loaded.reload, [deadLetters]);
  const [chosen, choose] = useState<ReadonlySet<string>>(new Set());
  const [said, say] = useState("");
  const [error, setError] = useState<unknown>();
  const { value } = loaded;
  const which = chosen.size === 0 ? ("all" as const) : [...chosen];
  const run = async (what: () => Promise<number>, done: string) => {
    try {
      say(`${count(await what(), "event")} ${done}`);
      setError(undefined);
      choose(new Set());
    } catch (reason) {
      setError(reason);
    }
    loaded.reload();
    onDone();
  };
  const failed = error ?? loaded.error;
  if (value === undefined)
    return failed === undefined ? <Skeleton /> : <Failure error={failed} retry={loaded.reload} />;
  if (value.length === 0)
    return (
      <Panel>
        {failed !== undefined && <Failure error={failed} />}
        <Empty title="There are no dead letters">
          {said ||
            "An event that the destination will not take is kept here with its reason; the others go on."}
        </Empty>
      </Panel>
    );
  const what = chosen.size === 0 ? "all" : String(chosen.size);
  return (
    <Panel
      title={`${count(deadLetters, "event")} that it would not take`}
      aside={
        <>
          <Button onClick={() => void run(() => api().retryDeadLetters(name, which), "sent once more")}>
            Retry {what}
          </Button>
          <DropButton
            what={what}
            onDrop={() => void run(() => api().dropDeadLetters(name, which), "forgotten")}
          />
        </>
      }
      flush
    >
      {failed !== undefined && <Failure error={failed} />}
      {said !== "" && (
        <p class={css.said} role="status">
          {said}
        </p>
      )}
      <ul class={css.list}>
        {value.map((letter) => (
          <LetterLine
            key={letter.cursor}
            letter={letter}
            isChosen={chosen.has(letter.cursor)}
            onChoose={() => choose(toggled(chosen, letter.cursor))}
          />
        ))}
      </ul>
      {deadLetters > value.length && <p class={css.said}>The oldest {value.length} are shown.</p>}
    </Panel>
  );
}

/** Asks once more: what is dropped is gone. */
function DropButton({ what, onDrop }: { what: string; onDrop: () => void }) {
  const [isAsked, ask] = useState(false);
  if (!isAsked) return <Button onClick={() => ask(true)}>Drop {what}…</Button>;
  return (
    <>
      <Button
        kind="danger"
        onClick={() => {
          ask(false);
          onDrop();
        }}
      >
        Forget {what} for good
      </Button>
      <Button kind="bare" onClick={() => ask(false)}>
        Keep
      </Button>
    </>
  );
}

interface LetterLineProps {
  readonly letter: DeadLetter;
  readonly isChosen: boolean;
  readonly onChoose: () => void;
}

function LetterLine({ letter, isChosen, onChoose }: LetterLineProps) {
  const { cursor, reason, attempts, parkedAt, event } = letter;
  const subject = subjectIn(event);
  return (
    <li class={css.line}>
      <input type="checkbox" checked={isChosen} aria-label={`Choose ${cursor}`} onChange={onChoose} />
      <a href={eventHref(cursor)} class="mono">
        {cursor}
      </a>
      {subject !== undefined && <Subject subject={subject} />}
      <span class={css.grow}>
        {reason} <span class="muted">after {count(attempts, "attempt")}</span>
      </span>
      <span class={css.when}>
        <Time at={parkedAt} as="clock" />
      </span>
    </li>
  );
}

function subjectIn(event: string): string | undefined {
  try {
    const { subject } = JSON.parse(event) as { subject?: unknown };
    return typeof subject === "string" && !subject.startsWith("feed") ? subject : undefined;
  } catch {
    return undefined;
  }
}

function toggled(set: ReadonlySet<string>, member: string): ReadonlySet<string> {
  const next = new Set(set);
  if (!next.delete(member)) next.add(member);
  return next;
}
