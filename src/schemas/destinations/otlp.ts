import { z } from "zod";
import { choice, toggle } from "../value-types.ts";
import { commonFields } from "./common.ts";
import { field, headers, httpAddress, tls } from "./fields.ts";

export const otlpSettingsSchema = z.strictObject({
  type: z
    .literal("otlp")
    .describe("Log records by OTLP over HTTP: Loki, Elasticsearch, Grafana, Datadog, Splunk"),
  ...commonFields({
    from: "beginning",
    ordering: "per-subject",
    events: 500,
    bytes: "1MiB",
    timeout: "20s",
  }),
  endpoint: httpAddress("Where logs are sent to, whole: https://collector:4318/v1/logs"),
  encoding: field(choice(["protobuf", "json"]), "How a request is written").prefault("protobuf"),
  compression: field(choice(["gzip", "none"]), "Of the request").prefault("gzip"),
  headers: headers("Headers of the request").optional(),
  tls: tls("Certificates of the connection").optional(),
  allowPrivate: field(
    toggle(),
    "Whether it may be at a private, loopback or link-local address, where collectors mostly are",
  ).prefault(true),
});
export type OtlpSettings = z.infer<typeof otlpSettingsSchema>;
