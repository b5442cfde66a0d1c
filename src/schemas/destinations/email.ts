import { z } from "zod";
import { choice, count, list, text } from "../value-types.ts";
import { alertFields } from "./alert-fields.ts";
import { field, secret, tls } from "./fields.ts";

/** `address`, or `Name <address>`. */
const MAILBOX = /^(?:[^<>\r\n,;"]*<)?[^\s<>@,;"]+@[^\s<>@,;"]+>?$/;
const MAILBOXES = "an address, as oncall@example.com or On-call <oncall@example.com>";

export const emailSettingsSchema = z
  .strictObject({
    type: z.literal("email").describe("Mail by SMTP, a thread for each group"),
    ...alertFields(),
    host: field(
      text("<host>", { pattern: /^[\w.:-]+$/, allowed: "the name of a host" }),
      "Server that mail is handed to",
    ),
    port: field(count({ min: 1, max: 65_535 }), "Its port").prefault(587),
    security: field(
      choice(["starttls", "tls", "none"]),
      "starttls: TLS after a greeting, and nothing without; tls: from the beginning, mostly at port 465; none",
    ).prefault("starttls"),
    tls: tls("Certificates of the connection").optional(),
    username: secret("Name of the user, where the server asks").optional(),
    password: secret("Password of the user").optional(),
    from: field(text("<address>", { pattern: MAILBOX, allowed: MAILBOXES }), "Who writes"),
    to: field(
      list("<addresses>", { allowed: `${MAILBOXES}, comma between`, schema: z.string().regex(MAILBOX) }),
      "Who is written to",
    ),
  })
  .refine(({ username, password }) => (username === undefined) === (password === undefined), {
    error: "username and password go together; give both or neither",
  })
  .refine(({ username, security }) => username === undefined || security !== "none", {
    error: "a password is sent by TLS only; security: starttls or tls",
  });
export type EmailSettings = z.infer<typeof emailSettingsSchema>;
