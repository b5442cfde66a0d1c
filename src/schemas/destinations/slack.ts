import { z } from "zod";
import { text } from "../value-types.ts";
import { alertFields } from "./alert-fields.ts";
import { allowPrivate } from "./http-fields.ts";
import { field, httpAddress, secret } from "./fields.ts";

export const slackSettingsSchema = z
  .strictObject({
    type: z.literal("slack").describe("Messages in a channel of Slack"),
    ...alertFields(),
    token: secret("Token of a bot that may chat:write: one message a group, which is kept up to date", {
      pattern: /^xox[a-z]-\S+$/,
      allowed: "a token that begins with xoxb-",
    }).optional(),
    channel: field(
      text("<channel>", {
        pattern: /^(?:#[^\s,]{1,80}|[A-Z0-9]{8,})$/,
        allowed: "the name of a channel, as #oncall, or its id, as C0123456789",
      }),
      "Where the bot writes; it has to be a member",
    ).optional(),
    webhook: secret(
      "Address of an incoming webhook, in place of token and channel: each message is a new one",
      { pattern: /^https?:\/\/\S+$/, allowed: "an address that begins with https://" },
    ).optional(),
    api: httpAddress("Where the API is").prefault("https://slack.com/api"),
    allowPrivate,
  })
  .superRefine(({ token, channel, webhook }, context) => {
    if (
      (token === undefined) === (channel === undefined) &&
      (token === undefined) !== (webhook === undefined)
    )
      return;
    context.addIssue({
      code: "custom",
      path: [webhook === undefined ? "token" : "webhook"],
      message: "give token and channel, or webhook alone",
    });
  });
export type SlackSettings = z.infer<typeof slackSettingsSchema>;
