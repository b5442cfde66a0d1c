import type { ChangeEventOf } from "nomad-changefeed-client";
import { SERVER_URL } from "../../feed/server.ts";
import { eventHref, go, href } from "../../app/router.ts";
import { isChange } from "../../feed/event-facts.ts";
import { Chip } from "../../ui/chip.tsx";
import { CopyButton } from "../../ui/copy.tsx";
import { Notice } from "../../ui/panel.tsx";
import { SeverityBadge } from "../../ui/severity.tsx";
import { Subject } from "../../ui/subject.tsx";
import { Time } from "../../ui/time.tsx";
import { count } from "../../words/names.ts";
import { duration } from "../../words/time.ts";
import css from "./event.module.css";
import type { OpenEvent } from "./read-event.ts";

/** What happened to what, when, and how the feed came to know it. */
export function EventHead({ open }: { open: OpenEvent }) {
  const { facts, event } = open;
  return (
    <header class={css.head}>
      <p class={css.when}>
        <SeverityBadge severity={facts.severity} />
        <Time at={facts.time} as="precise" />
        <span class="muted">
          <Time at={facts.time} as="age" />
        </span>
        <span class={css.tools}>
          <CopyButton text={() => linkTo(facts.cursor)} label="Copy link" />
        </span>
      </p>
      <h1 class={css.title}>
        {facts.resource === "feed" ? facts.subject : <Subject subject={facts.subject} name={facts.name} />}{" "}
        <span class={css.what}>{facts.what}</span>
      </h1>
      {facts.detail !== "" && <p class={css.detail}>{facts.detail}</p>}
      <Signals open={open} />
      <Provenance open={open} />
      <ByWhom event={open.event} />
      {open.redacted.length > 0 && (
        <Notice kind="info">
          {count(open.redacted.length, "value is", "values are")} withheld by the operator: where it says
          “[redacted]”, the value never leaves the feed.
        </Notice>
      )}
      {isChange(event) && event.data.observed.coalesced === "maybe" && (
        <Notice kind="info">
          {event.data.op === "version"
            ? "No poll saw this version: the next one took its place before."
            : "Versions in between may have been missed: the object was read before and after, not in between."}
        </Notice>
      )}
    </header>
  );
}

function Signals({ open: { facts } }: { open: OpenEvent }) {
  const { signals, namespace, job, node } = facts;
  const only = (query: Record<string, string>) => () => go(href(["live"], query));
  return (
    <p class={css.chips}>
      {signals.map((signal) => (
        <Chip key={signal} title={`Only ${signal} in the live page`} onClick={only({ signals: signal })}>
          {signal}
        </Chip>
      ))}
      {namespace !== "" && namespace !== "-" && (
        <Chip title="Only this namespace in the live page" onClick={only({ namespaces: namespace })}>
          namespace {namespace}
        </Chip>
      )}
      {job !== "" && (
        <span class={css.link}>
          <Subject subject={`jobs/${namespace}/${job}`} />
        </span>
      )}
      {node !== "" && (
        <span class={css.link}>
          <Subject subject={`nodes/-/${node}`} />
        </span>
      )}
    </p>
  );
}

/** Who did it, where Nomad vouches for it; with what else they did. */
function ByWhom({ event }: Pick<OpenEvent, "event">) {
  const actor = isChange(event) ? event.data.actor : undefined;
  if (actor === undefined) return null;
  return (
    <p class={css.provenance}>
      By{" "}
      <a
        href={href(["live"], { filter: `actor.id == ${JSON.stringify(actor.id)}` })}
        title="All they did, in the live page"
      >
        {actor.name ?? `${actor.kind} ${actor.id}`}
      </a>
      {actor.name !== undefined && (
        <>
          {" "}
          (<code>{actor.id}</code>)
        </>
      )}
      {actor.basis === "drain" ? ", as the node’s drain says" : ", whose token registered this version"}
    </p>
  );
}

/** When it was seen, and how. */
function Provenance({ open: { event, facts } }: { open: OpenEvent }) {
  const lateMs = facts.recordedMs - facts.timeMs;
  return (
    <p class={css.provenance}>
      <code>{facts.cursor}</code>
      {isChange(event) && (
        <>
          {" · "}
          {cameBy(event.data)}
          {event.data.observed.mode !== "live" && ` after a ${event.data.observed.mode}`}
          {event.data.observed.timeBasis === "observed" && ", at the time it was seen"}
        </>
      )}
      {lateMs >= 1 && ` · recorded ${duration(lateMs)} later`}
      {isChange(event) && event.data.rev.current !== null && ` · Raft index ${event.data.rev.current}`}
    </p>
  );
}

function cameBy({ op, observed }: ChangeEventOf["data"]): string {
  if (op === "version") return "read in Nomad’s list of versions";
  return observed.via === "hint" ? "read alone, as Nomad’s event stream named it" : "read in a list";
}

function linkTo(cursor: string): string {
  return new URL(eventHref(cursor), SERVER_URL).href;
}
