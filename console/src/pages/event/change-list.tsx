import type { JsonChange } from "nomad-changefeed-client";
import { useState } from "preact/hooks";
import { queryValue, setQuery } from "../../app/router.ts";
import { Button } from "../../ui/button.tsx";
import { Empty } from "../../ui/panel.tsx";
import { BOOKKEEPING, tellingChanges } from "../../words/summary.ts";
import { count } from "../../words/names.ts";
import { ChangeValue } from "./change-value.tsx";
import css from "./changes.module.css";
import { PointerPath } from "./pointer-path.tsx";
import type { OpenEvent } from "./read-event.ts";
import { ObjectTrees } from "./object-trees.tsx";

/** Only what changed: side by side, or below each other. */
export function ChangeList({ open }: { open: OpenEvent }) {
  const [showsAll, showAll] = useState(false);
  const isInline = queryValue("diff") === "inline";
  if (open.changes.length === 0) return <WithoutChanges open={open} />;
  const telling = tellingChanges(open.changes);
  const quiet = open.changes.length - telling.length;
  const shown = [...telling, ...(showsAll || telling.length === 0 ? quietOf(open.changes) : [])];
  const View = isInline ? Inline : SideBySide;
  return (
    <section aria-label="Changes">
      <div class={css.tools}>
        <span class={css.choice} role="group" aria-label="How changes are shown">
          <Button pressed={!isInline} onClick={() => setQuery({ diff: null })}>
            Side by side
          </Button>
          <Button pressed={isInline} onClick={() => setQuery({ diff: "inline" })}>
            Inline
          </Button>
        </span>
        {quiet > 0 && telling.length > 0 && (
          <Button pressed={showsAll} onClick={() => showAll(!showsAll)}>
            {count(quiet, "index or time", "indexes and times")}, too
          </Button>
        )}
      </div>
      <View changes={shown} open={open} />
      {open.changesLeftOut > 0 && (
        <p class={css.more}>{count(open.changesLeftOut, "more change")} did not fit into the event.</p>
      )}
    </section>
  );
}

function quietOf(changes: readonly JsonChange[]): JsonChange[] {
  return changes.filter(({ path }) => BOOKKEEPING.test(path));
}

interface ViewProps {
  readonly changes: readonly JsonChange[];
  readonly open: OpenEvent;
}

function SideBySide({ changes, open }: ViewProps) {
  return (
    <table class={css.sides}>
      <thead>
        <tr>
          <th scope="col">What</th>
          <th scope="col">Before</th>
          <th scope="col">After</th>
        </tr>
      </thead>
      <tbody>
        {changes.map((change) => (
          <tr key={change.path}>
            <th scope="row">
              <PointerPath pointer={change.path} />
            </th>
            <td class={change.from === undefined ? css.none : css.removed}>
              <ChangeValue value={change.from} path={change.path} open={open} />
            </td>
            <td class={change.to === undefined ? css.none : css.added}>
              <ChangeValue value={change.to} path={change.path} open={open} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Inline({ changes, open }: ViewProps) {
  return (
    <ul class={css.inline}>
      {changes.map(({ path, from, to }) => (
        <li key={path}>
          <PointerPath pointer={path} />
          {from !== undefined && (
            <div class={css.minus}>
              <span class="visually-hidden">before: </span>
              <ChangeValue value={from} path={path} open={open} />
            </div>
          )}
          {to !== undefined && (
            <div class={css.plus}>
              <span class="visually-hidden">after: </span>
              <ChangeValue value={to} path={path} open={open} />
            </div>
          )}
        </li>
      ))}
    </ul>
  );
}

function WithoutChanges({ open }: { open: OpenEvent }) {
  const { op, resource } = open.facts;
  if (resource === "feed") return <Empty title="The feed speaks of itself: no object changed" />;
  const words: Readonly<Record<string, string>> = {
    create: "It is new: there was nothing before. This is all of it.",
    delete: "It was deleted. This is how it was last known.",
    snapshot: "It was seen for the first time: what was before is not known.",
  };
  if (op === "version")
    return (
      <Empty title="It shows no object">
        No poll saw the job at this version: how the job was then is not known. The event after it has the job
        at the version that was seen.
      </Empty>
    );
  return (
    <section aria-label="Changes">
      <p class={css.more}>{words[op] ?? "What changed did not fit into the event."}</p>
      <ObjectTrees open={open} />
    </section>
  );
}
