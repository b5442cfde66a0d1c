import { useMemo } from "preact/hooks";
import { shownTime } from "../../app/as-of.ts";
import { useOldestMs } from "../../app/use-oldest.ts";
import { asOf, queryValue, setQuery } from "../../app/router.ts";
import { Empty, Failure, Skeleton } from "../../ui/panel.tsx";
import { lazy } from "../../ui/lazy.tsx";
import { Tabs } from "../../ui/tabs.tsx";
import { nounOf, partsOf } from "../../words/names.ts";
import { CompactList } from "./history/compact-list.tsx";
import { HistoryList } from "./history/history-list.tsx";
import { momentKey, momentOf, type Moment } from "./moment.ts";
import { ObjectHead } from "./object-head.tsx";
import css from "./object.module.css";
import { tiesOf } from "./related.ts";
import { Ties } from "./state/ties.tsx";
import { StatePanel } from "./state/state-panel.tsx";
import { TimelineView } from "./timeline-view.tsx";
import { useObject, type ObjectRecord } from "./use-object.ts";
import { useRelated, type Related } from "./use-related.ts";
import { useObjectKeys } from "./use-object-keys.ts";
import { tracksAt } from "./lanes/tracks-at.ts";
import { lastAt, stateAt, type StateThen } from "./versions.ts";
import { VIEWS, type View } from "./views.ts";
import { WhyView } from "./why/why-view.tsx";

export function ObjectView({ subject }: { subject: string }) {
  const { record, error, reload } = useObject(subject);
  if (record === undefined) {
    return error === undefined ? <Skeleton lines={12} /> : <Failure error={error} retry={reload} />;
  }
  if (record.current === undefined && record.versions.length === 0) return <Unknown record={record} />;
  return <Known record={record} />;
}

function Unknown({ record }: { record: ObjectRecord }) {
  const { resource } = partsOf(record.subject);
  return (
    <Empty title={`Nothing is known of this ${nounOf(resource)}`}>
      It is not there now, and the feed has no event of it. It may have gone before the oldest event that is
      kept (<code>{record.floor}</code>), have another id, or be one that you may not see.
    </Empty>
  );
}

function Known({ record }: { record: ObjectRecord }) {
  const moment = momentOf(asOf.value, shownTime.value);
  const oldestMs = useOldestMs();
  const at = lastAt(record.versions, moment);
  const then = stateAt({ ...record, oldestMs }, moment);
  const related = useRelated(record);
  const view = VIEWS.find((name) => name === queryValue("view")) ?? "timeline";
  const isJob = partsOf(record.subject).resource === "jobs";
  useObjectKeys(record, at);
  return (
    <div class={css.page}>
      <ObjectHead record={record} then={then} />
      <div class={css.columns}>
        <div class={css.main}>
          <Tabs<View>
            label="Views of the object"
            selected={view}
            onSelect={(id) => setQuery({ view: id === "timeline" ? null : id })}
            tabs={[
              { id: "compact", label: "Compact" },
              { id: "timeline", label: "Timeline" },
              { id: "history", label: "History", count: record.versions.length },
              ...(isJob ? [{ id: "versions" as const, label: "Versions" }] : []),
              { id: "why", label: "Why" },
            ]}
          />
          <div class={css.view} role="tabpanel" aria-label={view}>
            <ViewOf view={view} record={record} related={related} moment={moment} at={at} then={then} />
          </div>
        </div>
        <div class={css.side}>
          <StatePanel
            record={record}
            then={then}
            isPast={moment.kind !== "now"}
            ties={
              <TiesThen
                subject={record.subject}
                related={related}
                moment={moment}
                isKnown={then.kind !== "unknown"}
              />
            }
          />
        </div>
      </div>
    </div>
  );
}

interface TiesThenProps {
  readonly subject: string;
  readonly related: Related;
  readonly moment: Moment;
  /** Whether the object itself is known at that moment. */
  readonly isKnown: boolean;
}

/** What it hangs together with, each as it was at the moment that is shown. */
function TiesThen({ subject, related: { tracks, cutMs }, moment, isKnown }: TiesThenProps) {
  const shown = shownTime.value;
  const atMs = shown.kind === "then" ? shown.ms : undefined;
  const then = useMemo(
    () => tracksAt(tracks, moment, { atMs, cutMs }),
    [tracks, cutMs, atMs, momentKey(moment)],
  );
  if (then === undefined || !isKnown) return <Ties ties={undefined} isPast={true} />;
  const own = then.get(subject);
  return <Ties ties={own === undefined ? [] : tiesOf(own, then)} isPast={moment.kind !== "now"} />;
}

const JobVersions = lazy(async () => (await import("../../rollouts/job-versions.tsx")).JobVersions);

function VersionsOf({ record, then }: { record: ObjectRecord; then: StateThen }) {
  const { namespace, key } = partsOf(record.subject);
  const version = then.kind === "there" ? then.stub?.["Version"] : undefined;
  return (
    <JobVersions
      namespace={namespace}
      job={key}
      version={typeof version === "number" ? version : undefined}
    />
  );
}

interface ViewProps {
  readonly view: View;
  readonly record: ObjectRecord;
  readonly related: Related;
  readonly moment: Moment;
  /** Which version is shown. */
  readonly at: number;
  readonly then: StateThen;
}

function ViewOf({ view, record, related, moment, at, then }: ViewProps) {
  const shown = moment.kind === "now" ? "" : (record.versions[at]?.facts.cursor ?? "");
  switch (view) {
    case "compact":
      return <CompactList record={record} shown={shown} />;
    case "timeline":
      return (
        <>
          <TimelineView record={record} related={related} moment={moment} />
          <h2 class={css.inWords}>The object itself, in words</h2>
          <CompactList record={record} shown={shown} />
        </>
      );
    case "history":
      return <HistoryList record={record} shown={shown} />;
    case "versions":
      return <VersionsOf record={record} then={then} />;
    case "why":
      return <WhyView subject={record.subject} version={record.versions.at(-1)?.facts.cursor ?? ""} />;
    default:
      return view satisfies never;
  }
}
