import { z } from "zod";

const time = z.iso.datetime({ offset: true });

/** One assignment as `/v1/assignments` tells of it. */
const assignmentStatusSchema = z.object({
  assignment: z
    .string()
    .describe(
      'A scope to watch ("jobs/default"), "deliver/<name>" (sending to that destination), "alerts" (making alerts of the log), "plan" (which scopes there are), "trim" (retention) or "hints" (following the event stream of Nomad)',
    ),
  state: z
    .enum(["held", "waiting", "fenced"])
    .describe(
      "held: a worker does it; waiting: nobody does it; fenced: a process that does not share the assignments does it",
    ),
  worker: z.string().nullable().describe("Who does it: host/process/random"),
  since: time.nullable().describe("Since when they do"),
  condition: z
    .enum(["starting", "ok", "stale", "access-lost", "unsupported"])
    .nullable()
    .describe(
      "How far the scope can be trusted; unsupported: Nomad does not have it; of a destination, stale where it does not take what it is sent",
    ),
  reading: z
    .enum(["lists", "hinted"])
    .nullable()
    .default(null)
    .describe(
      "Whether the scope's objects are read one by one, as Nomad's event stream names them, or in lists",
    ),
  reason: z.string().nullable().describe("Why it is not ok, or why nobody does it"),
  index: z.string().nullable().describe("Raft index of the scope's last accepted poll"),
  objects: z.int().nullable(),
  lastOkAt: time.nullable().describe("When that poll was answered"),
  lagMs: z
    .int()
    .nullable()
    .describe(
      "For how long the scope could not be read or written, 0 while it is up to date; of a destination, how old the oldest event is that it has not got",
    ),
});
export type AssignmentStatus = z.infer<typeof assignmentStatusSchema>;

/** The assignment to make alerts of the log. */
export const ALERTS = "alerts";

const DELIVER = "deliver/";

/** The destination that an assignment sends to; undefined where it is another kind. */
export function deliveryOf(assignment: string): string | undefined {
  return assignment.startsWith(DELIVER) ? assignment.slice(DELIVER.length) : undefined;
}

/** The assignment to send to a destination. */
export function assignmentOf(destination: string): string {
  return `${DELIVER}${destination}`;
}

/** Whether it is the configuration that asks for it, and not the scopes that there are. */
export function isConfigured(assignment: string): boolean {
  return assignment === ALERTS || deliveryOf(assignment) !== undefined;
}

/** Those who follow the feed at one server, by format. */
const streamsStatusSchema = z.object({
  format: z.enum(["websocket", "sse", "ndjson"]),
  open: z.int().describe("How many streams of the format are open"),
});
export type StreamsStatus = z.infer<typeof streamsStatusSchema>;

export const assignmentsSchema = z.object({
  assignments: z.array(assignmentStatusSchema),
  streams: z
    .array(streamsStatusSchema)
    .optional()
    .describe("Of the server that answers, alone; absent for whom the feed is not whole"),
});
