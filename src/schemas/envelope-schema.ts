import { z } from "zod";
import { SEVERITIES, SEVERITY_NAMES, type Severity } from "./severity.ts";
import { jsonText } from "./line-safe.ts";
import { TRACEPARENT } from "./traceparent.ts";

/** Names of the schemas that `dataschema` refers to; the number grows when a reader would have to change. */
export const DATA_SCHEMAS = {
  change: "urn:nomad-changefeed:schema:change:1",
  control: "urn:nomad-changefeed:schema:control:1",
  frame: "urn:nomad-changefeed:schema:frame:1",
} as const;

const time = z.iso.datetime({ offset: true });
const severityNumbers = Object.values(SEVERITIES);

/** Attributes of every CloudEvent the feed writes, in a log or on a connection. */
export const baseAttributes = {
  specversion: z.literal("1.0"),
  id: z.string().min(1).describe("The same for the same change, whoever saw it: deduplicate by it"),
  source: z.string().min(1).describe("nomad://<cluster>/<region>"),
  time: time.describe(
    "When it happened, as far as Nomad says (data.observed.timeBasis); else when it was seen",
  ),
  datacontenttype: z.literal("application/json"),
};

/** Attributes of an event that has a place in the log. */
export const logAttributes = {
  ...baseAttributes,
  subject: z
    .string()
    .min(1)
    .describe("<resource>/<namespace>/<key>; of a control event feed/<resource>/<namespace>, or feed"),
  partitionkey: z.string().min(1).describe("Same as subject: events with the same one are in order"),
  recordedtime: time.describe("When the feed saw it"),
  severitytext: z.enum(SEVERITY_NAMES),
  severitynumber: z.literal(severityNumbers).describe("OpenTelemetry's severity number"),
  sequence: z
    .string()
    .regex(/^\d{16}$/)
    .describe("Contiguous number in the feed, 16 digits"),
  cursor: z
    .string()
    .regex(/^[a-z0-9]{1,32}-\d{1,16}$/)
    .describe("Give it back to go on after this event"),
  traceparent: z
    .string()
    .regex(TRACEPARENT)
    .optional()
    .describe("Where the commit that wrote it stands in its trace, where one is recorded: W3C Trace Context"),
};

/** Of `data` that leaves the feed, where rules of redaction touched it. */
export const redactedMember = {
  redacted: z
    .array(z.string())
    .optional()
    .describe(
      'JSON Pointers within `data`: what stood there does not leave the feed; "[redacted]" stands for it',
    ),
};

export interface EnvelopeAttributes {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string;
  readonly time: string;
  readonly dataschema: string;
  readonly recordedtime: string;
  readonly severity: Severity;
  /** Absent: no trace is recorded. */
  readonly traceparent?: string | undefined;
}

/** So many characters stand before these members in every envelope of the feed, its names left out: for whoever searches. */
export const LEAST_BEFORE = { recordedTime: 100, cursor: 200 };

/** The event's text up to where the log writes its sequence: `{"specversion":"1.0",…,"severitynumber":9,`. */
export function envelopeHead(attributes: EnvelopeAttributes): string {
  const { id, source, type, subject, dataschema, recordedtime, severity, traceparent } = attributes;
  const text = jsonText({
    specversion: "1.0",
    id,
    source,
    type,
    subject,
    time: attributes.time,
    datacontenttype: "application/json",
    dataschema,
    partitionkey: subject,
    recordedtime,
    severitytext: severity,
    severitynumber: SEVERITIES[severity],
    ...(traceparent !== undefined && { traceparent }),
  });
  return `${text.slice(0, -1)},`;
}
