import type { FeedItem } from "../../../console/src/feed/event-facts.ts";

export type Change = Extract<FeedItem, { data: { op: string } }>;

type Stub = Readonly<Record<string, unknown>>;

interface Told {
  /** `resource/namespace/key` */
  readonly subject: string;
  readonly op?: "create" | "update" | "delete" | "version";
  readonly stub: Stub;
  readonly changes?: readonly { path: string; from?: unknown; to?: unknown }[];
  readonly signals?: readonly string[];
  readonly name?: string;
}

export const BEGIN_MS = Date.parse("2026-11-29T12:00:00Z");

/** So many seconds after the beginning, as Nomad has times. */
export function nanos(seconds: number): number {
  return (BEGIN_MS + seconds * 1000) * 1e6;
}

/** The same as RFC 3339. */
export function timeAt(seconds: number): string {
  return new Date(BEGIN_MS + seconds * 1000).toISOString();
}

/** An event of the job web that was recorded a second after it happened. */
export function feedEvent(sequence: number, seconds: number, told: Told): Change {
  const { subject, op = "update", stub, signals = [], changes, name } = told;
  const [type = "", namespace = "", id = ""] = subject.split("/");
  const data = {
    op,
    aspect: "status",
    signals,
    resource: { type, namespace, id, job: "web", ...(name !== undefined && { name }) },
    ...(changes !== undefined && { changes }),
    ...(op === "version" ? { version: 4 } : op === "delete" ? { before: stub } : { after: stub }),
    rev: { current: "2", previous: "1", created: "1" },
    observed: {
      mode: "live",
      coalesced: "no",
      fromIndex: null,
      toIndex: "2",
      since: null,
      nomadEpoch: 0,
      timeBasis: "observed",
    },
  };
  return {
    type: `nomad.${type.slice(0, -1)}.${op === "version" ? op : `${op}d`}`,
    subject,
    time: timeAt(seconds),
    recordedtime: timeAt(seconds + 1),
    severitytext: "INFO",
    sequence: String(sequence).padStart(16, "0"),
    cursor: `a-${sequence}`,
    id: `event-${sequence}`,
    data,
  } as unknown as Change;
}
