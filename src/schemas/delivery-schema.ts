import { z } from "zod";

const time = z.iso.datetime({ offset: true });

/** What a destination is sent. */
const kindSchema = z.enum(["events", "alerts"]);

/** One `send` to a destination, as people see it: the first KiB of what went over the wire, without secrets. */
export const attemptSchema = z.object({
  at: time.describe("When it was sent"),
  ms: z.int().nonnegative().describe("Until the answer, or until it was given up"),
  events: z.int().nonnegative().describe("Events in the batch, or alerts in the message"),
  firstId: z.string().nullable().describe("Id of the first of them"),
  outcome: z.enum(["ok", "retry", "refused"]),
  why: z
    .enum(["poison", "too-large", "too-old", "gone", "forbidden", "config"])
    .nullable()
    .describe("Why it was refused"),
  reason: z.string().nullable().describe("What went wrong, in words"),
  status: z.int().nullable().describe("What the destination answered, where its protocol has such a number"),
  request: z.string().nullable(),
  answer: z.string().nullable(),
});
export type Attempt = z.infer<typeof attemptSchema>;

/** One destination, as `/v1/deliveries` lists it. */
export const deliveryStatusSchema = z.object({
  name: z.string(),
  kind: kindSchema.default("events").describe("What it is sent"),
  type: z.string().nullable().describe("webhook, kafka, …; null: it is not configured any more"),
  target: z.string().nullable().describe("Where it sends to; null where another worker does"),
  state: z
    .enum(["delivering", "retrying", "circuit-open", "paused", "waiting", "removed"])
    .describe(
      "retrying: the last attempts failed; circuit-open: so many that it is asked only now and then; paused: by people; waiting: no worker has it yet; removed: not configured any more, its position is kept for a day",
    ),
  reason: z.string().nullable().describe("Why it is not delivering"),
  since: time.nullable().describe("Since when it has been paused, or its circuit open"),
  worker: z.string().nullable().describe("Who delivers: host/process/random"),
  cursor: z
    .string()
    .nullable()
    .describe("Everything up to here was delivered, parked, or did not match; null of alerts"),
  recordedAt: time.nullable().describe("When the newest event up to there was recorded"),
  lagEvents: z
    .int()
    .nonnegative()
    .nullable()
    .describe(
      "Events of the log after the cursor, wanted or not; null where that is of another epoch, and of alerts",
    ),
  lagMs: z
    .int()
    .nonnegative()
    .nullable()
    .describe(
      "How old the oldest event is that is yet to be delivered; of alerts, for how long the first message could have been",
    ),
  waiting: z
    .int()
    .nonnegative()
    .nullable()
    .default(null)
    .describe("Messages about alerts that it has not taken yet; null of events"),
  deadLetters: z.int().nonnegative(),
});
export type DeliveryStatus = z.infer<typeof deliveryStatusSchema>;

const quantiles = z.object({ p50: z.number(), p99: z.number() });

/** The same with what the worker knows that delivers; null where another one does. */
export const deliveryDetailsSchema = deliveryStatusSchema.extend({
  attempts: z.array(attemptSchema).nullable().describe("The last sends, newest first"),
  messages: z
    .array(
      z.object({
        about: z.string().describe("What the alerts have in common"),
        since: time.describe("Since when it is to be told"),
        dueAt: time.nullable().describe("When the routes let it out; null: when a mute window is over"),
      }),
    )
    .nullable()
    .default(null)
    .describe("The messages about alerts that wait, oldest first, at most 20; null of events"),
  outcomes: z
    .object({
      delivered: z.int(),
      parked: z.int().describe("Dead letters"),
      passedOver: z.int().describe("Too old for the destination, or a notice that it refused"),
      retried: z.int().describe("Events that were sent once more"),
    })
    .nullable()
    .describe("Events, or messages about alerts, since the worker took the delivery"),
  latency: z
    .object({
      recordedToPicked: quantiles,
      pickedToSent: quantiles,
      sentToAnswered: quantiles,
    })
    .nullable()
    .describe("Of the last some hundred, ms; null also where nothing was sent yet"),
});
export type DeliveryDetails = z.infer<typeof deliveryDetailsSchema>;

export const deliveriesSchema = z.object({ deliveries: z.array(deliveryStatusSchema) });

/** An event that a destination would not take. */
const deadLetterSchema = z.object({
  cursor: z.string().describe("The event's own place in the log; names the letter"),
  id: z.string(),
  reason: z.string(),
  attempts: z.int().nonnegative(),
  parkedAt: time,
  event: z.string().describe("The event, as JSON text"),
});
export type ParkedEvent = z.infer<typeof deadLetterSchema>;

export const deadLettersSchema = z.object({ deadLetters: z.array(deadLetterSchema) });
