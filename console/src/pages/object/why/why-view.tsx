import { RequestFailed, type Why } from "nomad-changefeed-client";
import { asOf, eventHref } from "../../../app/router.ts";
import { api } from "../../../feed/api.ts";
import { useLoaded } from "../../../feed/use-loaded.ts";
import { Empty, Failure, Notice, Skeleton } from "../../../ui/panel.tsx";
import { SeverityBadge } from "../../../ui/severity.tsx";
import { Subject } from "../../../ui/subject.tsx";
import { Time } from "../../../ui/time.tsx";
import { WhyGraph } from "./why-graph.tsx";
import css from "./why.module.css";

/** Why the object is as it is: what led to what as a graph, and the same as a story. */
export function WhyView({ subject, version }: { subject: string; version: string }) {
  const at = asOf.value;
  const key = `${subject} ${at} ${at === "" ? version : ""}`;
  const { value, error, reload } = useLoaded(key, (gone) => api(gone).why(subject, at === "" ? {} : { at }));
  if (value !== undefined) return <Answered why={value} />;
  return error === undefined ? <Skeleton lines={8} /> : <NotAnswered error={error} retry={reload} />;
}

/** A graph of more than that has the whole width, and the story below it. */
const MOST_BESIDE = 7;

function Answered({ why }: { why: Why }) {
  return (
    <section aria-label="Why" class={css.why}>
      <div class={css.parts} data-wide={why.nodes.length > MOST_BESIDE ? "" : undefined}>
        <WhyGraph why={why} />
        <Story why={why} />
      </div>
      {!why.complete && (
        <Notice>This is not all{why.missing.length === 0 ? "." : `. ${why.missing.join(". ")}.`}</Notice>
      )}
    </section>
  );
}

function Story({ why }: { why: Why }) {
  const labels = new Map(why.nodes.map(({ subject, label }) => [subject, label]));
  return (
    <section aria-label="Story" class={css.story}>
      <h2>What happened</h2>
      {why.story.length === 0 && <Empty title="Nothing of it is in the feed" />}
      <ol>
        {why.story.map((step) => (
          <StoryLine
            key={`${step.cursor ?? step.time} ${step.subject} ${step.words}`}
            step={step}
            label={labels.get(step.subject)}
            isOwn={step.subject === why.subject}
          />
        ))}
      </ol>
    </section>
  );
}

interface StoryLineProps {
  readonly step: Why["story"][number];
  readonly label: string | undefined;
  readonly isOwn: boolean;
}

function StoryLine({ step, label, isOwn }: StoryLineProps) {
  const { time, cursor, subject, words, severity } = step;
  const when = <Time at={time} as="precise" />;
  const isLoud = severity !== "INFO" && severity !== "DEBUG" && severity !== "TRACE";
  return (
    <li data-own={isOwn ? "" : undefined}>
      <span class={css.when}>{cursor === undefined ? when : <a href={eventHref(cursor)}>{when}</a>}</span>
      <div>
        <p class={css.words}>
          {words} {isLoud && <SeverityBadge severity={severity} />}
        </p>
        {!isOwn && <Subject subject={subject} name={label} />}
      </div>
    </li>
  );
}

function NotAnswered({ error, retry }: { error: unknown; retry: () => void }) {
  const code = error instanceof RequestFailed ? error.code : "";
  if (code === "NOT_FOUND") {
    return (
      <Empty title="This bridge cannot say why">
        It is of a version that has no answer to it. The timeline has what happened around the object.
      </Empty>
    );
  }
  if (code === "NO_OBJECT") {
    return <Empty title="The feed did not know the object at that moment" />;
  }
  if (code === "CURSOR_EXPIRED") {
    return <Empty title="That is longer ago than the feed keeps events" />;
  }
  return <Failure error={error} retry={retry} />;
}
