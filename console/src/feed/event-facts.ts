import type { ChangeEventOf, ControlEvent, SnapshotObject } from "nomad-changefeed-client";
import { shortName } from "../words/names.ts";
import { summaryOf } from "../words/summary.ts";

/** An event as a line shows it: small, so that very many of them can be held. */
export interface EventFacts {
  readonly cursor: string;
  readonly id: string;
  readonly type: string;
  /** RFC 3339: when it happened. */
  readonly time: string;
  readonly timeMs: number;
  /** Ms since 1970: when the feed saw it. The log is in this order. */
  readonly recordedMs: number;
  readonly severity: string;
  readonly op: string;
  readonly aspect: string;
  readonly signals: readonly string[];
  readonly subject: string;
  /** Plural: "jobs"; "feed" for what the feed says about itself. */
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly job: string;
  readonly node: string;
  /** `summaryOf` it. */
  readonly what: string;
  readonly detail: string;
}

/** A change, or what the feed says about itself. */
export type FeedItem = ChangeEventOf | ControlEvent;

export function factsOf(event: FeedItem): EventFacts {
  const { cursor, id, type, time, recordedtime, severitytext, subject } = event;
  const common = {
    cursor,
    id,
    type,
    time,
    timeMs: Date.parse(time),
    recordedMs: Date.parse(recordedtime),
    severity: severitytext,
    subject,
    ...summaryOf(event),
  };
  if (!isChange(event)) {
    return {
      ...common,
      op: "",
      aspect: "",
      signals: [],
      resource: "feed",
      namespace: "",
      name: subject,
      job: "",
      node: "",
    };
  }
  const { op, aspect, signals, resource } = event.data;
  return {
    ...common,
    detail: common.detail === "" ? placeOf(resource) : common.detail,
    op,
    aspect,
    signals,
    resource: resource.type,
    namespace: resource.namespace,
    name: resource.name ?? resource.id,
    job: resource.job ?? "",
    node: resource.node ?? "",
  };
}

/** What it belongs to, where there is nothing else to tell: an id alone says nothing to people. */
function placeOf({ type, name, job, node }: ChangeEventOf["data"]["resource"]): string {
  const hasJob = job !== undefined && type !== "jobs" && name?.startsWith(job) !== true;
  const hasNode = node !== undefined && type !== "nodes";
  return [hasJob && `of ${job}`, hasNode && `on node ${shortName(node)}`].filter(Boolean).join(", ");
}

export function isChange(event: FeedItem | SnapshotObject): event is ChangeEventOf {
  return !event.type.startsWith("nomad.feed.");
}

/** Whether it has a place in the log: a change, or what the feed says about itself; no mark of a connection. */
export function isFeedItem(item: { readonly type: string }): item is FeedItem {
  return "sequence" in item;
}
