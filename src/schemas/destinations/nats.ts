import { z } from "zod";
import { list, text } from "../value-types.ts";
import { commonFields } from "./common.ts";
import { field, path, secret, tls } from "./fields.ts";

/** Words with dots between; of what stands in braces, only what an event has. */
const WORD = String.raw`(?:[^\s.*>{}]|\{(?:type|resource|namespace|op|severity)\})+`;
const SUBJECT = new RegExp(`^${WORD}(?:\\.${WORD})*$`);

export const natsSettingsSchema = z.strictObject({
  type: z.literal("nats").describe("Messages of a NATS JetStream stream"),
  ...commonFields({
    from: "beginning",
    ordering: "per-subject",
    events: 200,
    bytes: "512KiB",
    timeout: "30s",
  }),
  servers: field(
    list("<servers>", {
      allowed: "addresses without passwords, such as nats://nats-1:4222 or tls://nats-1:4222",
      schema: z.string().regex(/^(?:(?:nats|tls|ws|wss):\/\/)?[^\s@/,]+$/),
    }),
    "Servers to begin with; the others are found through them",
  ),
  subject: field(
    text("<subject>", {
      pattern: SUBJECT,
      allowed:
        "a subject such as nomad.events, or with members of the event: nomad.{type}.{resource}.{namespace}.{op}.{severity}",
    }),
    "Subject to publish to; {type}, {resource}, {namespace}, {op} and {severity} stand for the event's own, {resource} of the feed's own events is feed, and - stands for what an event does not have",
  ).prefault("nomad.{resource}.{namespace}.{op}"),
  stream: field(
    text("<stream>", { pattern: /^[^\s.*>/\\]+$/, allowed: "name of a JetStream stream" }),
    "Stream that has to take it; without it, whichever listens to the subject",
  ).optional(),
  credentials: z
    .strictObject({
      file: path("Credentials file with a JWT and its seed").optional(),
      token: secret("Token").optional(),
      username: secret("Name of the user").optional(),
      password: secret("Password of the user").optional(),
      nkey: secret("Seed of an nkey").optional(),
    })
    .refine(({ username, password }) => (username === undefined) === (password === undefined), {
      error: "username and password go together; give both or neither",
    })
    .describe("Who we are, where the servers ask: one of file, token, nkey, or username with password")
    .optional(),
  tls: tls("Connect by TLS").optional(),
});
export type NatsSettings = z.infer<typeof natsSettingsSchema>;
