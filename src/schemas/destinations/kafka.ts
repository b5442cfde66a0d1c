import { z } from "zod";
import { choice, list, text } from "../value-types.ts";
import { commonFields } from "./common.ts";
import { field, secret, tls } from "./fields.ts";

export const kafkaSettingsSchema = z.strictObject({
  type: z.literal("kafka").describe("Records of a Kafka topic"),
  ...commonFields({
    from: "beginning",
    ordering: "per-subject",
    events: 500,
    bytes: "512KiB",
    timeout: "30s",
  }),
  brokers: field(
    list("<brokers>", {
      allowed: "hosts with their ports, such as kafka-1:9092",
      schema: z.string().regex(/^(?:\[[0-9a-fA-F:.]+\]|[^\s:[\]/,]+):\d{1,5}$/),
    }),
    "Brokers to begin with; the others are found through them",
  ),
  topic: field(
    text("<topic>", { pattern: /^[A-Za-z0-9._-]{1,249}$/, allowed: "1 to 249 of A-Z a-z 0-9 . _ -" }),
    "Topic that events are written to; their key is the partitionkey",
  ),
  clientId: field(text("<name>"), "Name by which the brokers know us").prefault("nomad-changefeed"),
  acks: field(
    choice(["all", "leader"]),
    "Who has to have an event before it counts as written: all replicas in sync, or the leader alone",
  ).prefault("all"),
  tls: tls("Connect by TLS").optional(),
  sasl: z
    .strictObject({
      mechanism: field(choice(["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]), "How we say who we are"),
      username: secret("Name of the user"),
      password: secret("Password of the user"),
    })
    .describe("Who we are, where the brokers ask")
    .optional(),
});
export type KafkaSettings = z.infer<typeof kafkaSettingsSchema>;
