import type { EventConditions, Payload } from "../subscription-schema.ts";
import type { ON_POISON, ORDERINGS } from "./common.ts";
import { auditSettingsSchema, type AuditSettings } from "./audit.ts";
import { fileSettingsSchema, type FileSettings } from "./file.ts";
import { kafkaSettingsSchema, type KafkaSettings } from "./kafka.ts";
import { natsSettingsSchema, type NatsSettings } from "./nats.ts";
import { otlpSettingsSchema, type OtlpSettings } from "./otlp.ts";
import { redisSettingsSchema, type RedisSettings } from "./redis.ts";
import { stdoutSettingsSchema, type StdoutSettings } from "./stdout.ts";
import { webhookSettingsSchema, type WebhookSettings } from "./webhook.ts";

const SCHEMAS = [
  webhookSettingsSchema,
  kafkaSettingsSchema,
  natsSettingsSchema,
  otlpSettingsSchema,
  redisSettingsSchema,
  fileSettingsSchema,
  auditSettingsSchema,
  stdoutSettingsSchema,
] as const;

/** What the file says of one destination; which type it is, its `type` says. Secrets are references. */
export type DestinationSettings =
  | WebhookSettings
  | KafkaSettings
  | NatsSettings
  | OtlpSettings
  | RedisSettings
  | FileSettings
  | AuditSettings
  | StdoutSettings;

/** What each type of destination takes. */
export const DESTINATION_SCHEMAS: ReadonlyMap<string, (typeof SCHEMAS)[number]> = new Map(
  SCHEMAS.map((schema) => [schema.shape.type.value, schema]),
);

/** A destination as configured, checked. */
export interface DestinationConfig {
  readonly name: string;
  /** Line of the file that it begins at. */
  readonly line: number;
  readonly settings: DestinationSettings;
  /** What it wants. */
  readonly conditions: EventConditions;
  readonly payload: Payload;
  /** Where it begins without a position: "now", "beginning", or what `parseSince` reads. */
  readonly from: string;
  readonly ordering: (typeof ORDERINGS)[number];
  /** Sends at once; 1 with strict. */
  readonly inFlight: number;
  readonly batch: { readonly maxEvents: number; readonly maxBytes: number; readonly maxAgeMs: number };
  readonly timeoutMs: number;
  readonly retry: { readonly firstMs: number; readonly mostMs: number };
  readonly onPoison: (typeof ON_POISON)[number];
  readonly formerName?: string;
  /** Another one where a setting is another, or what stands behind a reference or in a file that it names. */
  readonly fingerprint: string;
}
