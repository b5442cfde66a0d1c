import type { ComponentChildren } from "preact";
import { useMemo, useState } from "preact/hooks";
import { eventHref } from "../../../app/router.ts";
import { JsonTree } from "../../../ui/json-tree.tsx";
import { NanosTime } from "../../../ui/nanos-time.tsx";
import { Empty, Failure, Panel, Skeleton } from "../../../ui/panel.tsx";
import { SearchField } from "../../../ui/search-field.tsx";
import { Subject } from "../../../ui/subject.tsx";
import { Time } from "../../../ui/time.tsx";
import { rawNumber, scalarText } from "../../../words/exact-json.ts";
import { partsOf } from "../../../words/names.ts";
import { tellingChanges } from "../../../words/summary.ts";
import { subjectAt, subjectIn } from "../../../words/references.ts";
import { factsAbout, stateWord, type Fact } from "./facts.ts";
import { StateSummary } from "./state-summary.tsx";
import { ChangeLines } from "../history/change-lines.tsx";
import css from "./state.module.css";
import { useWholeStub } from "../use-whole-stub.ts";
import type { ObjectRecord } from "../use-object.ts";
import { changesOf, stubOf, type StateThen, type Version } from "../versions.ts";
import type { Stub } from "../stubs.ts";

interface StatePanelProps {
  readonly record: ObjectRecord;
  readonly then: StateThen;
  readonly isPast: boolean;
  /** What it hangs together with; stands before the whole object, which is long. */
  readonly ties: ComponentChildren;
}

/** How the object is now, or was at the moment that is shown: what matters first, then all of it. */
export function StatePanel(props: StatePanelProps) {
  const { then, isPast } = props;
  return (
    <aside
      class={css.side}
      aria-label={isPast ? "State then" : "State now"}
      data-past={isPast ? "" : undefined}
    >
      <Panel title={titleOf(then, isPast)} aside={<Since then={then} />}>
        <StateWords {...props} />
      </Panel>
    </aside>
  );
}

function titleOf({ kind }: StateThen, isPast: boolean): string {
  if (isPast) return "State then";
  return kind === "deleted" ? "Last known state" : "State now";
}

function Since({ then }: { then: StateThen }) {
  if (!("version" in then) || then.version === null) return null;
  const { facts } = then.version;
  return (
    <span>
      since{" "}
      <a href={eventHref(facts.cursor)}>
        <Time at={facts.time} />
      </a>
    </span>
  );
}

function StateWords({ record, then, isPast, ties }: StatePanelProps) {
  switch (then.kind) {
    case "not-yet":
      return <Empty title="It was not there yet" />;
    case "unknown":
      return (
        <Empty title="Not known">
          That is before the oldest event that the feed keeps (<code>{record.floor}</code>), or was not read.
        </Empty>
      );
    case "deleted":
      return (
        <>
          <p class={css.note}>
            Deleted <Time at={then.version.facts.time} as="age" />. This is how it was last known:
          </p>
          <StubOfVersion record={record} version={then.version} isPast={isPast} ties={ties} />
        </>
      );
    case "there":
      return then.version === null ? (
        <StubView record={record} stub={then.stub} version={null} isPast={isPast} ties={ties} />
      ) : (
        <StubOfVersion record={record} version={then.version} isPast={isPast} ties={ties} />
      );
    default:
      return then satisfies never;
  }
}

interface StubOfVersionProps {
  readonly record: ObjectRecord;
  readonly version: Version;
  readonly isPast: boolean;
  readonly ties: ComponentChildren;
}

function StubOfVersion(props: StubOfVersionProps) {
  return props.version.isLarge ? (
    <LargeStub {...props} />
  ) : (
    <StubView {...props} stub={stubOf(props.version)} />
  );
}

function LargeStub(props: StubOfVersionProps) {
  const { value, error, isLoading, reload } = useWholeStub(props.version);
  if (error !== undefined) return <Failure error={error} retry={reload} />;
  return isLoading ? <Skeleton lines={6} /> : <StubView {...props} stub={value} />;
}

interface StubViewProps {
  readonly record: ObjectRecord;
  readonly stub: Stub | undefined;
  /** What made it so: its changes are marked. */
  readonly version: Version | null;
  readonly isPast: boolean;
  readonly ties: ComponentChildren;
}

function StubView({ record, stub, version, isPast, ties }: StubViewProps) {
  const [search, setSearch] = useState("");
  const { resource, namespace } = partsOf(record.subject);
  const marked = useMemo(() => new Set(version === null ? [] : tellingOf(version)), [version]);
  if (stub === undefined) {
    return <Empty title="The event was too large to hold it">Open the event to read all of it.</Empty>;
  }
  const { why } = stateWord(resource, stub);
  return (
    <>
      {why !== "" && <p class={css.note}>{why}</p>}
      {version !== null && isPast && <Changed version={version} />}
      <dl class={css.facts}>
        {factsAbout(resource, stub).map((fact) => (
          <FactLine key={fact.field} fact={fact} namespace={namespace} stub={stub} />
        ))}
      </dl>
      <StateSummary resource={resource} stub={stub} />
      {ties}
      <h3 class={css.whole}>The whole object</h3>
      <div class={css.search}>
        <SearchField label="Search in the object" value={search} onInput={setSearch} />
      </div>
      <JsonTree
        value={stub}
        marked={marked}
        search={search}
        subjectOf={(pointer, value) => subjectAt(pointer, value, namespace)}
        noteOf={(_pointer, value) => <NanosTime digits={rawNumber(value) ?? ""} />}
      />
    </>
  );
}

/** What the event that made it so has changed. */
function Changed({ version }: { version: Version }) {
  return (
    <section class={css.changed} aria-label="What changed">
      <p>
        <strong>{version.facts.what}</strong>{" "}
        <a class={css.open} href={eventHref(version.facts.cursor)}>
          Open the event
        </a>
      </p>
      <ChangeLines version={version} />
    </section>
  );
}

/** Where something changed that is not an index or a time. */
function tellingOf(version: Version): string[] {
  return tellingChanges(changesOf(version)).map(({ path }) => path);
}

function FactLine({ fact, namespace, stub }: { fact: Fact; namespace: string; stub: Stub }) {
  const { label, field, value } = fact;
  const subject = subjectIn(field, value, namespace);
  const nodeName = field === "NodeID" && typeof stub["NodeName"] === "string" ? stub["NodeName"] : undefined;
  const digits = rawNumber(value);
  return (
    <>
      <dt>{label}</dt>
      <dd>
        {subject !== undefined ? (
          <Subject subject={subject} name={nodeName} />
        ) : digits === undefined ? (
          scalarText(value)
        ) : (
          <NanosTime digits={digits} />
        )}
      </dd>
    </>
  );
}
