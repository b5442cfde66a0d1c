import { z } from "zod";
import { count, text } from "../value-types.ts";
import { commonFields } from "./common.ts";
import { field, textOrReference } from "./fields.ts";

const ADDRESS =
  "an address that begins with redis://, redis+sentinel:// or redis+cluster:// (rediss for TLS; docs/redis-log.md)";

/** Another key can lie in its slot of a cluster: what is in the first braces says which, or there is no `}`. */
const STREAM = /^(?=\S{1,512}$)(?:[^{]*\{[^}]+\}.*|[^}]*)$/;

export const redisSettingsSchema = z.strictObject({
  type: z.literal("redis").describe("Entries of a stream in another Redis"),
  ...commonFields({ from: "beginning", ordering: "strict", events: 500, bytes: "1MiB", timeout: "10s" }),
  url: textOrReference(
    "Redis to write to, a reference where it holds a password",
    {
      pattern: /^rediss?(?:\+sentinel|\+cluster)?:\/\/[^\s@]+$/,
      allowed: `${ADDRESS} and holds no password`,
    },
    { pattern: /^rediss?(?:\+sentinel|\+cluster)?:\/\/\S+$/, allowed: ADDRESS },
  ),
  stream: field(
    text("<key>", { pattern: STREAM, allowed: "a key without blanks, with no } but after a tag in braces" }),
    "Key of the stream that events are added to",
  ),
  maxLen: field(count(), "About how many entries the stream keeps; without it, all of them").optional(),
});
export type RedisSettings = z.infer<typeof redisSettingsSchema>;
