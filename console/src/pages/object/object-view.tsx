import { now } from "../../app/clock.ts";
import { useCommands } from "../../app/keys.ts";
import { asOf, queryValue, setQuery } from "../../app/router.ts";
import { Empty, Failure, Skeleton } from "../../ui/panel.tsx";
import { Tabs } from "../../ui/tabs.tsx";
import { NOUNS, partsOf } from "../../words/names.ts";
import { HistoryList } from "./history-list.tsx";
import { momentOf } from "./moment.ts";
import { ObjectHead } from "./object-head.tsx";
import css from "./object.module.css";
import { StatePanel } from "./state-panel.tsx";
import { TimelineView } from "./timeline-view.tsx";
import { useObject, type ObjectRecord } from "./use-object.ts";
import { lastAt, stateAt } from "./versions.ts";

const VIEWS = ["timeline", "history"] as const;
type View = (typeof VIEWS)[number];

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
    <Empty title={`Nothing is known of this ${NOUNS[resource] ?? "object"}`}>
      It is not there now, and the feed has no event of it. It may have gone before the oldest event that is
      kept (<code>{record.floor}</code>), have another id, or be one that you may not see.
    </Empty>
  );
}

function Known({ record }: { record: ObjectRecord }) {
  const moment = momentOf(asOf.value, now.peek());
  const at = lastAt(record.versions, moment);
  const then = stateAt(record, moment);
  const view = VIEWS.find((name) => name === queryValue("view")) ?? "timeline";
  useCommands(stepCommands(record, at));
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
              { id: "timeline", label: "Timeline" },
              { id: "history", label: "History", count: record.versions.length },
            ]}
          />
          <div class={css.view} role="tabpanel" aria-label={view}>
            {view === "timeline" ? (
              <TimelineView record={record} moment={moment} />
            ) : (
              <HistoryList record={record} at={at} />
            )}
          </div>
        </div>
        <StatePanel record={record} then={then} isPast={moment.kind !== "now"} />
      </div>
    </div>
  );
}

/** To the event before and the one after the moment that is shown; beyond the last one is now. */
function stepCommands({ versions }: ObjectRecord, at: number) {
  const isNow = asOf.value === "";
  const step = (to: number) => {
    const version = versions[to];
    if (version !== undefined) setQuery({ at: version.facts.cursor });
    else if (to >= versions.length) setQuery({ at: null });
  };
  const group = "Object";
  return [
    { group, words: "To the event before", keys: "[", run: () => step(at - 1) },
    { group, words: "To the event after", keys: "]", run: () => (isNow ? undefined : step(at + 1)) },
    { group, words: "Back", keys: "Escape", run: goBack },
  ];
}

function goBack(): void {
  if (document.activeElement instanceof HTMLInputElement) document.activeElement.blur();
  else history.back();
}
