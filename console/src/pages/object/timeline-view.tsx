import { useMemo } from "preact/hooks";
import { asOfMs } from "../../app/as-of.ts";
import { now } from "../../app/clock.ts";
import { setQuery } from "../../app/router.ts";
import { Failure, Notice, Skeleton } from "../../ui/panel.tsx";
import { lanesOf } from "./lanes/lanes-of.ts";
import { endMs } from "./lanes/track.ts";
import type { Moment } from "./moment.ts";
import css from "./object.module.css";
import { Timeline } from "./timeline/timeline.tsx";
import { extentOf } from "./timeline/range.ts";
import type { ObjectRecord } from "./use-object.ts";
import type { Related } from "./use-related.ts";
import { lastAt } from "./versions.ts";

interface TimelineViewProps {
  readonly record: ObjectRecord;
  readonly related: Related;
  readonly moment: Moment;
}

/** The object and what is around it in lanes. */
export function TimelineView({ record, related, moment }: TimelineViewProps) {
  const { tracks, cutMs, hasGap, isLoading, error } = related;
  const lanes = useMemo(() => lanesOf(record.subject, tracks), [record.subject, tracks]);
  const steps = useMemo(
    () => record.versions.map(({ facts: { timeMs, cursor } }) => ({ ms: timeMs, cursor })),
    [record.versions],
  );
  const own = tracks.get(record.subject);
  if (isLoading && lanes.length === 0) return <Skeleton lines={8} />;
  const nowMs = now.peek();
  const toMs = (own && endMs(own)) ?? nowMs;
  const all = extentOf(lanes, nowMs);
  // Of what has no time of its creation, all that is known is shown.
  const life = { fromMs: own?.createdMs ?? all.fromMs, toMs };
  return (
    <>
      {error !== undefined && <Failure error={error} />}
      {hasGap && (
        <Notice kind="warn">
          Events around it are missing: they were removed from the log before they came here.
        </Notice>
      )}
      {isLoading && error === undefined && <p class={css.reading}>Reading what was around it…</p>}
      <Timeline
        lanes={lanes}
        life={life}
        own={steps}
        atMs={momentMs(record, moment)}
        cutMs={cutMs}
        onScrub={(to) => setQuery({ at: to === null ? null : (to.cursor ?? timeToShow(record, to.ms)) })}
      />
    </>
  );
}

/** The feed's moments are when it recorded: what had happened by then is shown, if it was recorded a little later, too. */
function timeToShow({ versions }: ObjectRecord, ms: number): string {
  const last = versions.findLast(({ facts }) => facts.timeMs <= ms);
  return new Date(Math.max(ms, last?.facts.recordedMs ?? 0)).toISOString();
}

/** Where on the timeline a moment is; null: now. */
function momentMs({ versions }: ObjectRecord, moment: Moment): number | null {
  if (moment.kind === "now" || moment.kind === "untold") return null;
  if (moment.kind === "time") return moment.ms;
  // Its own event is where it happened; that of another object where the feed saw it.
  const own = versions.find(({ sequence }) => sequence === moment.sequence);
  return own?.facts.timeMs ?? asOfMs.value ?? versions[lastAt(versions, moment)]?.facts.timeMs ?? null;
}
