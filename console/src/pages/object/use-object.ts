import { originalText, type ChangeEventOf } from "nomad-changefeed-client";
import { useEffect, useState } from "preact/hooks";
import { api } from "../../feed/api.ts";
import { isChange, isFeedItem } from "../../feed/event-facts.ts";
import { follow } from "../../feed/follow.ts";
import { parseExact } from "../../words/exact-json.ts";
import { stubOf, versionOf, type Version } from "./versions.ts";
import type { Stub } from "./stubs.ts";

const PAGE = 500;
/** Of one object so many of its newest events are read at once. */
const MOST = 2000;

/** All that the feed knows of one object, kept up to date. */
export interface ObjectRecord {
  readonly subject: string;
  /** Oldest first. */
  readonly versions: readonly Version[];
  /** As it is now, to the last digit; undefined where it is not there. */
  readonly current: Stub | undefined;
  /** There are older events than were read. */
  readonly isCut: boolean;
  /** Retention has removed the events up to there. */
  readonly floor: string;
}

interface Known {
  readonly record: ObjectRecord | undefined;
  readonly error: unknown;
}

const NOTHING: Known = { record: undefined, error: undefined };

/** Reads an object and its history, then follows it. */
export function useObject(subject: string): Known & { readonly reload: () => void } {
  const [known, setKnown] = useState<Known>(NOTHING);
  const [round, setRound] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    let unfollow = () => {};
    const onGap = () => setRound((times) => times + 1);
    readRecord(subject, stop.signal).then(
      ({ record, cursor }) => {
        if (stop.signal.aborted) return;
        setKnown({ record, error: undefined });
        const onChange = (event: ChangeEventOf) =>
          setKnown((last) => ({ ...last, record: last.record && withEvent(last.record, event) }));
        unfollow = followObject(subject, cursor, { onChange, onGap });
      },
      (error: unknown) => {
        if (!stop.signal.aborted) setKnown((last) => ({ ...last, error }));
      },
    );
    return () => {
      stop.abort();
      unfollow();
    };
  }, [subject, round]);
  const isCurrent = known.record === undefined || known.record.subject === subject;
  return { ...(isCurrent ? known : NOTHING), reload: () => setRound((times) => times + 1) };
}

async function readRecord(subject: string, gone: AbortSignal) {
  const state = await api(gone).state({ subjects: [subject] });
  let current: Stub | undefined;
  for await (const object of state) {
    current = (parseExact(originalText(object)) as { data: { after: Stub } }).data.after;
  }
  const history = await readHistory(subject, gone);
  return { record: { subject, current, ...history }, cursor: state.cursor };
}

async function readHistory(subject: string, gone: AbortSignal) {
  const versions: Version[] = [];
  let page = await api(gone).history({ subject, limit: PAGE });
  for (;;) {
    versions.push(...page.events.filter((event) => isChange(event)).map(versionOf));
    if (page.next === undefined || versions.length >= MOST) break;
    page = await api(gone).history(page.next);
  }
  return { versions: versions.toReversed(), isCut: page.next !== undefined, floor: page.floor };
}

interface Told {
  readonly onChange: (event: ChangeEventOf) => void;
  readonly onGap: () => void;
}

function followObject(subject: string, cursor: string, { onChange, onGap }: Told): () => void {
  return follow(
    { subjects: [subject], cursor, onexpired: "earliest" },
    {
      onItem: (item) => {
        if (item.type === "nomad.feed.gap") onGap();
        else if (isFeedItem(item) && isChange(item) && item.subject === subject) onChange(item);
      },
      // The frame says that the page does not live any more.
      onEnd: () => undefined,
    },
  );
}

function withEvent(record: ObjectRecord, event: ChangeEventOf): ObjectRecord {
  const version = versionOf(event);
  const last = record.versions.at(-1);
  if (last !== undefined && last.sequence >= version.sequence) return record;
  const after = version.isDeletion ? undefined : (stubOf(version) ?? record.current);
  return { ...record, versions: [...record.versions, version], current: after };
}
