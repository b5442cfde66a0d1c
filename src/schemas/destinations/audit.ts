import { z } from "zod";
import { duration, text, toggle } from "../value-types.ts";
import { commonFields } from "./common.ts";
import { field, headers, HTTP_ADDRESS, httpAddress, noted, secret, tls } from "./fields.ts";

const KEY = "a private key as nomad-changefeed audit keygen writes it";
const MAX_KEYS = 4;

const oneKey = secret("A private key of the trail", {
  pattern: /^PRIVATE\+KEY\+[^+\s]+\+[0-9a-f]{8}\+\S+$/,
  allowed: KEY,
});

const keys = noted(
  z
    .union([oneKey.transform((only) => [only]), z.array(oneKey).min(1).max(MAX_KEYS)])
    .describe(
      "What checkpoints are signed with; several, of one name, while one takes the other's place. Their name is the trail's",
    ),
  { allowed: `one to ${MAX_KEYS} of env:NAME or file:PATH, and behind it ${KEY}`, hidden: true },
);

const { from, batch, timeout, retry, formerName } = commonFields({
  from: "beginning",
  ordering: "strict",
  events: 2048,
  bytes: "4MiB",
  age: "1s",
  timeout: "1m",
});

const checkpointTo = z
  .strictObject({
    url: httpAddress("Where it is posted to, as text"),
    headers: headers("Headers of the request").optional(),
    tls: tls("Certificates of the connection").optional(),
    allowPrivate: field(
      toggle(),
      "Whether it may be at a private, loopback or link-local address. Checked of the address connected to",
    ).prefault(false),
    every: field(
      duration({ minMs: 0, maxMs: 86_400_000 }),
      "How long after one checkpoint the next is posted at the soonest: always the newest",
    ).prefault("1m"),
  })
  .describe(
    "Where new checkpoints are posted to, so that somebody else has a copy. The trail does not wait for it",
  );

const s3 = z
  .strictObject({
    bucket: field(
      text("<name>", { pattern: /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, allowed: "name of a bucket" }),
      "Bucket, which has to be there",
    ),
    prefix: field(
      text("<prefix>", {
        pattern: /^[A-Za-z0-9_-][A-Za-z0-9._-]*(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*\/?$/,
        allowed: "letters, digits, '.', '_', '-', and '/' between them",
      }),
      "What the trail's objects are below; all of the bucket where there is none. It has to be the trail's alone",
    ).optional(),
    region: field(text("<region>"), "Region for which requests are signed").prefault("us-east-1"),
    endpoint: field(
      text("<address>", HTTP_ADDRESS),
      "Where the store is. Default: https://s3.<region>.amazonaws.com",
    ).optional(),
    accessKeyId: secret("Key's id"),
    secretAccessKey: secret("Key that requests are signed with"),
    sessionToken: secret("Token that goes with a key for a while").optional(),
    tls: tls("Certificates of the connection").optional(),
    allowPrivate: field(
      toggle(),
      "Whether it may be at a private, loopback or link-local address. Checked of the address connected to",
    ).prefault(false),
  })
  .describe("A bucket of a store that speaks S3 and has conditional writes, in place of directory");

/** It takes every event whole and in order: there is nothing to choose. */
export const auditSettingsSchema = z
  .strictObject({
    type: z
      .literal("audit")
      .describe("An audit trail in a directory or a bucket: a transparency log that anyone can verify"),
    from,
    batch,
    timeout,
    retry,
    formerName,
    directory: field(
      text("<path>"),
      "Directory of the trail, which has to be there and to be its alone. Not the root of a mount: what is not mounted must not look like an empty one",
    ).optional(),
    s3: noted(s3, {
      allowed:
        "bucket, prefix, region, endpoint, accessKeyId, secretAccessKey, sessionToken, tls, allowPrivate",
    }).optional(),
    key: keys,
    checkpointTo: noted(checkpointTo, { allowed: "url, headers, tls, allowPrivate, every" }).optional(),
    daily: field(
      toggle(),
      "Whether the entries are also kept as lines in daily/YYYY-MM-DD.jsonl.gz, for people with zgrep; in a directory only",
    ).prefault(true),
  })
  .refine(({ directory, s3: bucket }) => (directory === undefined) !== (bucket === undefined), {
    error: "give directory or s3, one of them",
    path: ["directory"],
  });
export type AuditSettings = z.infer<typeof auditSettingsSchema>;

/** What other destinations may choose. */
export const AUDIT_DELIVERY = {
  payload: "full",
  ordering: "strict",
  inFlight: 1,
  onPoison: "block",
} as const;
