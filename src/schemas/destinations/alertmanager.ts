import { z } from "zod";
import { matchers } from "../routes.ts";
import { duration, list, toggle } from "../value-types.ts";
import { field, headers, HTTP_ADDRESS, noted, tls } from "./fields.ts";

const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

export const alertmanagerSettingsSchema = z.strictObject({
  type: z.literal("alertmanager").describe("Alerts to Prometheus Alertmanager, by its API v2"),
  urls: field(
    list("<urls>", {
      allowed: "addresses such as http://alertmanager-1:9093, without passwords",
      schema: z.string().regex(HTTP_ADDRESS.pattern),
    }),
    "All replicas of it: each is told everything",
  ),
  ...matchers,
  labels: noted(
    z
      .record(z.string().regex(LABEL), z.string().min(1))
      .describe("Labels that every alert gets beside its own, which go before them"),
    { allowed: "names of labels, each with its text" },
  ).optional(),
  resend: field(
    duration({ minMs: 1000, maxMs: 3_600_000 }),
    "How often what fires is sent again. It ends by itself after four times that, or 15 minutes if that is longer, when nobody sends it any more",
  ).prefault("1m"),
  headers: headers("Headers of the request").optional(),
  tls: tls("Certificates of the connection").optional(),
  allowPrivate: field(
    toggle(),
    "Whether it may be at a private, loopback or link-local address, where it mostly is",
  ).prefault(true),
  timeout: field(
    duration({ minMs: 100, maxMs: 600_000 }),
    "How long one request may take before it is ended and tried again",
  ).prefault("10s"),
  retry: z
    .strictObject({
      first: field(
        duration({ minMs: 10, maxMs: 3_600_000 }),
        "Longest pause before the second attempt; each further one may be twice as long",
      ).prefault("1s"),
      most: field(
        duration({ minMs: 10, maxMs: 3_600_000 }),
        "Longest pause there is. It is tried for ever",
      ).prefault("1m"),
    })
    .describe("Pauses between attempts, with full jitter")
    .prefault({}),
});
export type AlertmanagerSettings = z.infer<typeof alertmanagerSettingsSchema>;
