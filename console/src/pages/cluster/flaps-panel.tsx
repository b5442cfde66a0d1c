import { shownTime } from "../../app/as-of.ts";
import type { Loaded } from "../../feed/use-loaded.ts";
import { Empty, Failure, Notice, Panel, Skeleton } from "../../ui/panel.tsx";
import { Subject } from "../../ui/subject.tsx";
import { Time } from "../../ui/time.tsx";
import { count } from "../../words/names.ts";
import css from "./cluster.module.css";
import { flapWords, jobFlapWords, type JobFlaps } from "./flaps.ts";
import type { ReadFlaps } from "./use-flaps.ts";

const MOST = 20;

/** What goes up and down again and again, worst first. */
export function FlapsPanel({
  loaded: { value, error, isLoading, reload },
}: {
  loaded: Loaded<ReadFlaps | undefined>;
}) {
  const isAsking = shownTime.value.kind === "asking";
  const nodes = [...(value?.nodes ?? [])];
  const jobs = value?.jobs ?? [];
  const total = nodes.length + jobs.length;
  return (
    <Panel title="Flapping" aside="within an hour" flush>
      {error !== undefined && <Failure error={error} retry={reload} />}
      {value === undefined && error === undefined && (isLoading || isAsking) && <Skeleton lines={2} />}
      {value === undefined && error === undefined && !isLoading && !isAsking && (
        <Empty title="Not known">It cannot be told when that was.</Empty>
      )}
      {value !== undefined && total === 0 && <Empty title="Nothing keeps going down and up" />}
      {value?.countedSince !== undefined && (
        <Notice>
          Much happened: only what came after <Time at={value.countedSince} as="clock" /> is counted.
        </Notice>
      )}
      {total > 0 && (
        <ul class={css.rows}>
          {nodes.map(([subject, flaps]) => (
            <li key={subject} class={css.blocked}>
              <span class={css.blockedHead}>
                <Subject subject={subject} name={flaps.name} />
                <span class={css.waiting}>{flapWords(flaps)}</span>
              </span>
            </li>
          ))}
          {jobs.slice(0, MOST).map((flaps) => (
            <JobLine key={`${flaps.namespace}/${flaps.job}`} flaps={flaps} />
          ))}
          {jobs.length > MOST && <li class={css.blocked}>and {count(jobs.length - MOST, "more job")}</li>}
        </ul>
      )}
    </Panel>
  );
}

function JobLine({ flaps }: { flaps: JobFlaps }) {
  const { namespace, job, worst, worstTimes, last } = flaps;
  return (
    <li class={css.blocked}>
      <span class={css.blockedHead}>
        <Subject subject={`jobs/${namespace}/${job}`} name={job} />
        <span class="muted">{namespace}</span>
        <span class={css.waiting}>{jobFlapWords(flaps)}</span>
        <span class={css.since}>
          last <Time at={last} />
        </span>
      </span>
      <span class={css.reason}>
        most often {worst}: {worstTimes} times
      </span>
    </li>
  );
}
