import { z } from "zod";
import { choice } from "../value-types.ts";
import { commonFields } from "./common.ts";
import { field, headers, httpAddress, tls } from "./fields.ts";
import { allowPrivate, templateFields } from "./http-fields.ts";
import { signingSecrets } from "./signing.ts";

const WEBHOOK_FORMATS = ["structured", "binary", "batched", "template"] as const;

export const webhookSettingsSchema = z
  .strictObject({
    type: z.literal("webhook").describe("HTTP requests, signed by Standard Webhooks"),
    ...commonFields({
      from: "now",
      ordering: "per-subject",
      events: 1,
      bytes: "256KiB",
      timeout: "20s",
    }),
    url: httpAddress("Where it is sent to"),
    method: field(choice(["POST", "PUT", "PATCH"]), "Method of the request").prefault("POST"),
    format: field(
      choice(WEBHOOK_FORMATS),
      "structured: one CloudEvent as JSON; binary: its attributes in headers and its data as the body; batched: a JSON array of CloudEvents; template: what `template` makes of one event. Without it structured, or batched where batch.events is above 1, or template where there is one",
    ).optional(),
    ...templateFields("A Liquid template of the body, or env:NAME or file:PATH of one"),
    headers: headers("Headers of the request").optional(),
    secrets: signingSecrets.optional(),
    tls: tls("Certificates of the connection").optional(),
    allowPrivate,
  })
  .superRefine(({ format, template }, context) => {
    const isTemplate = format === undefined ? template !== undefined : format === "template";
    if (isTemplate === (template !== undefined)) return;
    context.addIssue({
      code: "custom",
      path: ["template"],
      message: "format: template and a template go together; give both, or the template alone",
    });
  });
export type WebhookSettings = z.infer<typeof webhookSettingsSchema>;
