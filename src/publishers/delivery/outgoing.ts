import { z } from "zod";
import type { DeadLetter } from "../../feed/log.ts";
import { ASPECTS, OPS, type LogEntry } from "../../schemas/draft.ts";
import { formatCursor, type Cursor } from "../../schemas/cursor.ts";
import { gapFrame } from "../../schemas/frames-schema.ts";
import { jsonText } from "../../schemas/line-safe.ts";
import { SEVERITY_NAMES } from "../../schemas/severity.ts";
import type { Payload } from "../../schemas/subscription-schema.ts";
import type { Gap } from "../connection/start.ts";
import { payloadText } from "../selection/payload.ts";
import type { Outgoing } from "./destination.ts";

/** Of what is not in the log and speaks of no object. */
const NO_OBJECT = {
  resource: null,
  namespace: null,
  key: null,
  op: null,
  aspect: null,
  signals: [],
  job: null,
  node: null,
  sequence: null,
  cursor: null,
} as const;

/** An event of the log as it leaves. */
export function outgoingOf(entry: LogEntry, epoch: string, payload: Payload): Outgoing {
  const { id, type, resource, namespace, key, op, aspect, signals, severity, job, node, time } = entry;
  return {
    id,
    type,
    resource,
    namespace,
    key,
    op,
    aspect,
    signals,
    severity,
    job,
    node,
    time,
    sequence: entry.sequence,
    cursor: formatCursor({ epoch, sequence: entry.sequence }),
    subject: subjectOf(entry),
    json: payloadText(entry, payload),
  };
}

/** The subject of its envelope: what events are in order by. */
function subjectOf({ resource, namespace, key }: Pick<LogEntry, "resource" | "namespace" | "key">): string {
  if (resource === null) return "feed";
  return key === null ? `feed/${resource}/${namespace}` : `${resource}/${namespace}/${key}`;
}

/** What says that events between two places are gone, as the gap frame of a stream does. The same gap has the same id. */
export function gapNotice(
  { wanted, reason }: Gap,
  behind: Cursor,
  context: { readonly source: string; readonly name: string; readonly time: string },
): Outgoing {
  const [from, to] = [formatCursor(wanted), formatCursor(behind)];
  const missed = wanted.epoch === behind.epoch ? behind.sequence - wanted.sequence : 0;
  const data = { reason, wanted: from, cursor: to, ...(missed > 0 && { missed }) };
  return notice("nomad.feed.gap", `delivery/${context.name}/gap/${from}/${to}`, context, (frame) =>
    gapFrame(frame, data),
  );
}

/** An event that is in no log, by which people see whether a destination takes any. */
export function testEvent(context: {
  readonly source: string;
  readonly name: string;
  readonly time: string;
}): Outgoing {
  const type = "nomad.feed.test";
  const data = { message: `A test of the destination ${context.name}: nothing happened` };
  return notice(type, `delivery/${context.name}/test/${context.time}`, context, (frame) =>
    jsonText({ specversion: "1.0", type, ...frame, datacontenttype: "application/json", data }),
  );
}

/** A dead letter as it left before. */
export function outgoingOfLetter({ cursor, json }: DeadLetter): Outgoing {
  const event = letterSchema.parse(JSON.parse(json));
  const { op = null, aspect = null, signals = [], resource, scope } = event.data;
  return {
    id: event.id,
    type: event.type,
    resource: resource?.type ?? scope?.resource ?? null,
    namespace: resource?.namespace ?? scope?.namespace ?? null,
    key: resource?.id ?? null,
    op,
    aspect,
    signals,
    severity: event.severitytext,
    job: resource?.job ?? null,
    node: resource?.node ?? null,
    time: event.time,
    sequence: cursor.sequence,
    cursor: formatCursor(cursor),
    subject: event.subject,
    json,
  };
}

/** What of an event its facts are made of. */
const letterSchema = z.object({
  id: z.string(),
  type: z.string(),
  subject: z.string(),
  time: z.string(),
  severitytext: z.enum(SEVERITY_NAMES).default("INFO"),
  data: z.object({
    op: z.enum(OPS).optional(),
    aspect: z.enum(ASPECTS).optional(),
    signals: z.array(z.string()).optional(),
    resource: z
      .object({
        type: z.string(),
        namespace: z.string(),
        id: z.string(),
        job: z.string().optional(),
        node: z.string().optional(),
      })
      .optional(),
    /** Of a control event. */
    scope: z.object({ resource: z.string(), namespace: z.string() }).nullish(),
  }),
});

function notice(
  type: string,
  id: string,
  { source, time }: { readonly source: string; readonly time: string },
  textOf: (context: { source: string; id: string; time: string }) => string,
): Outgoing {
  return {
    ...NO_OBJECT,
    id,
    type,
    time,
    severity: "WARN",
    subject: subjectOf(NO_OBJECT),
    json: textOf({ source, id, time }),
  };
}

/** When the log's event was recorded, RFC 3339: `recordedtime` of its envelope, which stands before its data. */
export function recordedTimeOf(json: string): string | null {
  return /"recordedtime":"([^"]+)"/.exec(json)?.[1] ?? null;
}
