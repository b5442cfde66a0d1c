import { z } from "zod";
import { SEVERITY_NAMES } from "./severity.ts";

const time = z.iso.datetime({ offset: true });

/** An alert as it leaves. */
export const alertSchema = z.object({
  id: z.string().describe("Of its rule and labels: the same for the same trouble, whoever says it"),
  rule: z.string().describe("docs/alerts.md"),
  severity: z.enum(SEVERITY_NAMES),
  state: z.enum(["pending", "firing", "resolved"]).describe("pending: it has not held for long enough yet"),
  labels: z.record(z.string(), z.string()).describe("What it is about; never changes"),
  summary: z.string().describe("One line for people"),
  details: z
    .record(z.string(), z.string())
    .describe("What explains it, as it was last; changes while it fires"),
  count: z.int().nonnegative().describe("How many of what the rule counts"),
  startsAt: time.describe("When it began to hold"),
  firedAt: time.nullable().describe("When it had held for so long that it fired"),
  endsAt: time.nullable(),
  reason: z
    .string()
    .nullable()
    .describe(
      "Why it ended: recovered, collected, purged, gone, stopped, namespace removed, node removed, rule switched off, folded into <rule>",
    ),
  beganMeanwhile: z
    .boolean()
    .describe("It was there when it was looked for again, after a time in which nobody looked"),
  isKept: z.boolean().describe("It holds no longer, and fires for a while yet in case it comes back"),
  lastEventAt: time.nullable(),
  evidence: z.array(z.string()).describe("Ids of the latest events about it"),
  page: z.string().nullable().describe("Page of Nomad's UI, below /ui/"),
  silencedBy: z
    .array(z.string())
    .optional()
    .describe(
      "Of what fires or is pending in `/v1/alerts`: ids of the silences that keep people from being told",
    ),
});
export type AlertJson = z.infer<typeof alertSchema>;

const destinationStateSchema = z.object({
  name: z.string(),
  target: z.string().describe("Of an Alertmanager each replica has its own"),
  state: z
    .enum(["ok", "retrying", "circuit-open", "paused"])
    .describe("circuit-open: so many attempts failed that it is asked only now and then; paused: by people"),
  reason: z.string().nullable().describe("Why it is not told; or what it refused of what it was told"),
  since: time.nullable().describe("Since when its circuit is open, or it has been paused"),
  lastOkAt: time.nullable().describe("When it was told last"),
  waiting: z.int().nonnegative().default(0).describe("How many messages it has not taken yet"),
  lagMs: z.int().nonnegative().default(0).describe("For how long the first of them could have been told"),
});
/** How a destination is told of alerts. */
export type DestinationState = z.infer<typeof destinationStateSchema>;

/** What `/v1/alerts` answers. */
export const alertListSchema = z.object({
  asOf: time.nullable().describe("When the alerts were looked at last; null: not yet"),
  alerts: z.array(alertSchema).describe("What fires, and what is pending"),
  ended: z.array(alertSchema).describe("What ended in the last hour, newest first, at most 500"),
  destinations: z
    .array(destinationStateSchema)
    .default([])
    .describe("How those are told that alerts go to; for whom the whole feed is"),
});
export type AlertList = z.infer<typeof alertListSchema>;

/** What an alert has that fires since `nowMs`, ms since 1970, and of which nothing more is said. */
export function plainAlert(nowMs: number): Omit<AlertJson, "id" | "rule" | "severity" | "labels"> {
  const now = new Date(nowMs).toISOString();
  return {
    state: "firing",
    summary: "",
    details: {},
    count: 1,
    startsAt: now,
    firedAt: now,
    endsAt: null,
    reason: null,
    beganMeanwhile: false,
    isKept: false,
    lastEventAt: null,
    evidence: [],
    page: null,
  };
}
