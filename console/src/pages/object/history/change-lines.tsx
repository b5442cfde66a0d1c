import type { JsonChange } from "nomad-changefeed-client";
import { eventHref, objectHref } from "../../../app/router.ts";
import { NanosTime } from "../../../ui/nanos-time.tsx";
import { scalarText } from "../../../words/exact-json.ts";
import { count } from "../../../words/names.ts";
import { isNanos } from "../../../words/nanos.ts";
import { namesIn } from "../../../words/pointer.ts";
import { subjectAt } from "../../../words/references.ts";
import { tellingChanges } from "../../../words/summary.ts";
import { taskEventWords } from "../../../words/task-events.ts";
import { changesOf, type Version } from "../versions.ts";
import css from "./history.module.css";

const MOST = 6;

/** What an event changed, a line each; indexes and times are left out. */
export function ChangeLines({ version }: { version: Version }) {
  const changes = tellingChanges(changesOf(version));
  if (changes.length === 0) return null;
  const rest = changes.length - MOST;
  return (
    <ul class={css.changes}>
      {changes.slice(0, MOST).map((change) => (
        <ChangeLine key={change.path} change={change} namespace={version.facts.namespace} />
      ))}
      {rest > 0 && (
        <li>
          <a href={eventHref(version.facts.cursor)}>{count(rest, "more change")}</a>
        </li>
      )}
    </ul>
  );
}

function ChangeLine({ change: { path, from, to }, namespace }: { change: JsonChange; namespace: string }) {
  const name = namesIn(path).join(" › ");
  const words = taskEventWords(to);
  return (
    <li>
      <span class={css.name}>{name}</span>{" "}
      {words !== undefined ? (
        words
      ) : (
        <>
          {from !== undefined && <Value value={from} path={path} namespace={namespace} />}
          {from !== undefined && to !== undefined && " → "}
          {to === undefined ? " gone" : <Value value={to} path={path} namespace={namespace} />}
        </>
      )}
    </li>
  );
}

interface ValueProps {
  readonly value: unknown;
  readonly path: string;
  readonly namespace: string;
}

const MOST_LETTERS = 90;

function Value({ value, path, namespace }: ValueProps) {
  const text = scalarText(value);
  if (text === undefined) return <>{Array.isArray(value) ? `a list of ${value.length}` : "an object"}</>;
  if (isNanos(text)) return <NanosTime digits={text} />;
  const subject = subjectAt(path, value, namespace);
  const shown = text.length > MOST_LETTERS ? `${text.slice(0, MOST_LETTERS)}…` : text;
  if (subject !== undefined) return <a href={objectHref(subject)}>{shown}</a>;
  return <>{shown === "" ? "“”" : shown}</>;
}
