import { useLoaded } from "../../feed/use-loaded.ts";
import { Chip } from "../../ui/chip.tsx";
import { EventLine } from "../../ui/event-line.tsx";
import { Empty, Failure, Notice, Skeleton } from "../../ui/panel.tsx";
import css from "./event.module.css";
import { readAround, type NearEvent } from "./around.ts";
import type { OpenEvent } from "./read-event.ts";

/** What else happened at the same time on the same object, job, node or evaluation. */
export function AroundList({ open }: { open: OpenEvent }) {
  const { cursor } = open.facts;
  const { value, error, reload } = useLoaded(cursor, (gone) => readAround(open, gone));
  if (value === undefined) {
    return error === undefined ? <Skeleton lines={6} /> : <Failure error={error} retry={reload} />;
  }
  if (value.events.length === 1) {
    return (
      <Empty title="Nothing else">
        Within ten seconds nothing else was recorded of the same object, job, node or evaluation.
      </Empty>
    );
  }
  return (
    <section aria-label="Around this event">
      {value.isCut && <Notice>More happened than is shown: these are the first of each kind.</Notice>}
      <ol class={css.around}>
        {value.events.map((near) => (
          <li key={near.cursor} data-this={near.cursor === cursor ? "" : undefined}>
            <Offset near={near} thisMs={open.facts.timeMs} />
            <div class={css.nearLine}>
              <EventLine
                event={near}
                time="precise"
                isSelected={near.cursor === cursor}
                without={["namespace"]}
              />
            </div>
            <span class={css.ties}>
              {near.cursor === cursor ? (
                <Chip tone="accent">this event</Chip>
              ) : (
                near.shares.map((tie) => <Chip key={tie}>same {tie}</Chip>)
              )}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}

function Offset({ near, thisMs }: { near: NearEvent; thisMs: number }) {
  const ms = near.timeMs - thisMs;
  const sign = ms < 0 ? "−" : "+";
  return (
    <span class={css.offset}>
      {sign}
      {(Math.abs(ms) / 1000).toFixed(2)} s
    </span>
  );
}
