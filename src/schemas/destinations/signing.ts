import { z } from "zod";
import { noted, secret } from "./fields.ts";

const signingSecret = secret("A secret of Standard Webhooks", {
  pattern: /^wh(?:sec|sk)_[A-Za-z0-9+/_-]+={0,2}$/,
  allowed: "a secret that begins with whsec_ (HMAC-SHA256) or whsk_ (ed25519)",
});

/** What requests are signed with: one, or two. */
export const signingSecrets = noted(
  z
    .union([signingSecret.transform((only) => [only]), z.array(signingSecret).min(1).max(2)])
    .describe("What requests are signed with, by Standard Webhooks; two while one takes the other's place"),
  {
    allowed: "one or two of env:NAME or file:PATH, and behind it a secret that begins with whsec_ or whsk_",
    hidden: true,
  },
);
