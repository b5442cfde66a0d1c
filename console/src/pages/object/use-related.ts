import type { HistoryPage, HistoryQuery, ResourceType } from "nomad-changefeed-client";
import { useEffect, useMemo, useState } from "preact/hooks";
import { api } from "../../feed/api.ts";
import { isChange, isFeedItem, type FeedItem } from "../../feed/event-facts.ts";
import { follow } from "../../feed/follow.ts";
import { partsOf } from "../../words/names.ts";
import { tracksOf, type Tracks } from "./lanes/track.ts";
import { text, type Stub } from "./stubs.ts";
import type { ObjectRecord } from "./use-object.ts";

const PAGE = 500;
/** Of what is around an object so many of the newest events are read. */
const MOST = 1500;
const MOST_OBJECTS = 2000;
/** While one looks at it, so many come to be kept. */
const MOST_KEPT = 6000;

export interface Related {
  /** The object and what is around it. */
  readonly tracks: Tracks;
  /** Ms since 1970: what was around it before that was not read. Undefined: all of it was. */
  readonly cutMs: number | undefined;
  /** While one looked, events were removed before they came here. */
  readonly hasGap: boolean;
  readonly isLoading: boolean;
  readonly error: unknown;
}

interface Around {
  readonly key: string;
  readonly events: readonly FeedItem[];
  readonly current: ReadonlyMap<string, Stub>;
  readonly cutMs: number | undefined;
  readonly error: unknown;
}

/** Reads what is around an object: of its job, or on its node; and follows it. */
export function useRelated(record: ObjectRecord): Related {
  const plan = useMemo(() => planOf(record), [record.subject, record.current === undefined]);
  const key = JSON.stringify(plan);
  const [around, setAround] = useState<Around>(() => nothingOf(key));
  const [round, setRound] = useState({ key, gaps: 0 });
  const gaps = round.key === key ? round.gaps : 0;
  useEffect(() => {
    const stop = new AbortController();
    let unfollow = () => {};
    readAround(plan, stop.signal).then(
      ({ cursor, ...read }) => {
        if (stop.signal.aborted) return;
        setAround({ key, error: undefined, ...read });
        unfollow = followAround(plan, cursor, {
          onChange: (event) => setAround((last) => withEvent(last, event)),
          // What the log still has of it is read again.
          onGap: () => setRound({ key, gaps: gaps + 1 }),
        });
      },
      (error: unknown) => {
        if (!stop.signal.aborted)
          setAround((last) => ({ ...(last.key === key ? last : nothingOf(key)), error }));
      },
    );
    return () => {
      stop.abort();
      unfollow();
    };
  }, [key, gaps]);
  const tracks = useMemo(() => tracksWith(record, around), [record, around]);
  return {
    tracks,
    cutMs: around.cutMs,
    hasGap: gaps > 0,
    error: around.error,
    isLoading:
      around.key !== key || (around.events.length === 0 && around.current.size === 0 && plan.reads > 0),
  };
}

/** A page that stays open keeps the newest: what was before that is said to be missing. */
function withEvent(around: Around, event: FeedItem): Around {
  const events = [...around.events, event];
  if (events.length <= MOST_KEPT) return { ...around, events };
  const kept = events
    .toSorted((a, b) => Date.parse(a.recordedtime) - Date.parse(b.recordedtime))
    .slice(-MOST_KEPT + MOST);
  const [oldest] = kept;
  return { ...around, events: kept, cutMs: oldest && Date.parse(oldest.recordedtime) };
}

function nothingOf(key: string): Around {
  return { key, events: [], current: new Map(), cutMs: undefined, error: undefined };
}

function tracksWith({ subject, versions, current }: ObjectRecord, around: Around): Tracks {
  const objects = new Map(around.current);
  if (current !== undefined) objects.set(subject, current);
  return tracksOf([...around.events, ...versions.map(({ event }) => event)], objects);
}

/** What to ask for. */
interface Plan {
  readonly histories: readonly HistoryQuery[];
  /** A filter that all of it passes; "": nothing is around it. */
  readonly filter: string;
  readonly namespace: string;
  readonly types: readonly ResourceType[];
  readonly reads: number;
}

const AROUND_JOB = ["allocations", "deployments", "evaluations"] as const;

function planOf({ subject, current, versions }: ObjectRecord): Plan {
  const { resource, namespace, key } = partsOf(subject);
  const last = versions.at(-1)?.event.data;
  const stub: Stub = current ?? last?.after ?? last?.before ?? {};
  if (resource === "nodes") {
    const filter = `resource.node == ${JSON.stringify(key)}`;
    return { histories: [{ node: key }], filter, namespace: "", types: ["allocations"], reads: 1 };
  }
  const job = resource === "jobs" ? key : text(stub, "JobID");
  if (job === "") return { histories: [], filter: "", namespace, types: [], reads: 0 };
  const ofJob = `resource.job == ${JSON.stringify(job)} and resource.namespace == ${JSON.stringify(namespace)}`;
  const node = resource === "allocations" ? text(stub, "NodeID") : "";
  return {
    histories: [{ job, namespace }, ...(node === "" ? [] : [{ subject: `nodes/-/${node}` }])],
    filter:
      node === ""
        ? ofJob
        : `(${ofJob}) or (resource.type == "nodes" and resource.id == ${JSON.stringify(node)})`,
    namespace,
    types: AROUND_JOB,
    reads: 1,
  };
}

async function readAround(plan: Plan, gone: AbortSignal) {
  if (plan.filter === "")
    return { events: [], current: new Map<string, Stub>(), cutMs: undefined, cursor: "" };
  const { types, filter, namespace } = plan;
  const state = await api(gone).state({
    types: [
      ...types,
      ...(plan.histories.some(({ subject }) => subject !== undefined) ? (["nodes"] as const) : []),
    ],
    filter,
    ...(namespace !== "" && { namespaces: [namespace, "-"] }),
  });
  const current = new Map<string, Stub>();
  for await (const { subject, data } of state) {
    if (data.after !== undefined) current.set(subject, data.after);
    if (current.size === MOST_OBJECTS) break;
  }
  const histories = await Promise.all(plan.histories.map((query) => readHistory(query, gone)));
  const cuts = histories.flatMap(({ cutMs }) => cutMs ?? []);
  return {
    events: histories.flatMap(({ events }) => events),
    current,
    cutMs: cuts.length === 0 ? undefined : Math.max(...cuts),
    cursor: state.cursor,
  };
}

async function readHistory(query: HistoryQuery, gone: AbortSignal) {
  const events: FeedItem[] = [];
  let page: HistoryPage = await api(gone).history({ ...query, limit: PAGE });
  for (;;) {
    events.push(...page.events);
    if (page.next === undefined || events.length >= MOST) break;
    page = await api(gone).history(page.next);
  }
  const oldest = events.at(-1);
  return {
    events,
    cutMs: page.next === undefined || oldest === undefined ? undefined : Date.parse(oldest.recordedtime),
  };
}

interface Told {
  readonly onChange: (event: FeedItem) => void;
  readonly onGap: () => void;
}

function followAround({ filter }: Plan, cursor: string, { onChange, onGap }: Told): () => void {
  if (filter === "") return () => undefined;
  return follow(
    { filter, cursor, onexpired: "earliest" },
    {
      onItem: (item) => {
        if (item.type === "nomad.feed.gap") onGap();
        else if (isFeedItem(item) && isChange(item)) onChange(item);
      },
      onEnd: () => undefined,
    },
  );
}
