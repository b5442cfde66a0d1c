import { RequestFailed } from "nomad-changefeed-client";
import { queryValue, setQuery } from "../../app/router.ts";
import { useLoaded } from "../../feed/use-loaded.ts";
import { Empty, Failure, Skeleton } from "../../ui/panel.tsx";
import { Tabs } from "../../ui/tabs.tsx";
import { AroundList } from "./around-list.tsx";
import { ChangeList } from "./change-list.tsx";
import { EventHead } from "./event-head.tsx";
import { EventSteps } from "./event-steps.tsx";
import css from "./event.module.css";
import { FoundBeside } from "./found-beside.tsx";
import { FollowThis } from "./follow-this.tsx";
import { ObjectTrees } from "./object-trees.tsx";
import { RawEvent } from "./raw-event.tsx";
import { readOpenEvent, type OpenEvent } from "./read-event.ts";

const PARTS = ["changes", "object", "raw", "around", "follow"] as const;
type Part = (typeof PARTS)[number];

interface EventViewProps {
  readonly cursor: string;
  /** It is the whole page, and leads to the events beside it. */
  readonly isAlone?: boolean;
}

/** One event: what changed first, the whole object second, the CloudEvent third. Fits a page and a pane. */
export function EventView({ cursor, isAlone = false }: EventViewProps) {
  const { value, error, reload } = useLoaded(cursor, (gone) => readOpenEvent(cursor, gone));
  if (value !== undefined) return <Opened open={value} isAlone={isAlone} />;
  if (error === undefined) return <Skeleton lines={10} />;
  return <NotOpened cursor={cursor} error={error} retry={reload} />;
}

function Opened({ open, isAlone }: { open: OpenEvent; isAlone: boolean }) {
  const asked = queryValue("part");
  const part = PARTS.find((name) => name === asked) ?? "changes";
  return (
    <article class={css.event} aria-label={`Event ${open.facts.cursor}`}>
      {isAlone && open.facts.resource !== "feed" && (
        <EventSteps cursor={open.facts.cursor} subject={open.facts.subject} />
      )}
      <EventHead open={open} />
      <FoundBeside event={open.event} />
      <Tabs
        label="Parts of the event"
        selected={part}
        onSelect={(id) => setQuery({ part: id === "changes" ? null : id })}
        tabs={[
          { id: "changes", label: "Changes", ...(open.changes.length > 0 && { count: open.changes.length }) },
          { id: "object", label: "Object" },
          { id: "raw", label: "CloudEvent" },
          { id: "around", label: "Around ±10 s" },
          { id: "follow", label: "Subscribe" },
        ]}
      />
      <div class={css.part} role="tabpanel" aria-label={part}>
        <PartOf part={part} open={open} />
      </div>
    </article>
  );
}

function PartOf({ part, open }: { part: Part; open: OpenEvent }) {
  switch (part) {
    case "changes":
      return <ChangeList open={open} />;
    case "object":
      return <ObjectTrees open={open} />;
    case "raw":
      return <RawEvent open={open} />;
    case "around":
      return <AroundList open={open} />;
    case "follow":
      return <FollowThis open={open} />;
    default:
      return part satisfies never;
  }
}

/** Why there is no event to show. */
function NotOpened({ cursor, error, retry }: { cursor: string; error: unknown; retry: () => void }) {
  const code = error instanceof RequestFailed ? error.code : "";
  switch (code) {
    case "CURSOR_EXPIRED":
      return (
        <Empty title="This event is gone">
          The feed keeps events for a limited time, and <code>{cursor}</code> is older than that.
        </Empty>
      );
    case "EPOCH_CHANGED":
      return (
        <Empty title="This event is of another history">
          The log has lost its newest events since and begun a new history; <code>{cursor}</code> is of the
          one before.
        </Empty>
      );
    case "FUTURE_CURSOR":
    case "NO_EVENT":
      return (
        <Empty title="There is no such event">
          No event that you may see has the cursor <code>{cursor}</code>. The address may have been cut.
        </Empty>
      );
    default:
      return <Failure error={error} retry={retry} />;
  }
}
