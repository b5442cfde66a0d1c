import { z } from "zod";
import { choice } from "../value-types.ts";
import { alertFields } from "./alert-fields.ts";
import { field, headers, httpAddress, tls } from "./fields.ts";
import { allowPrivate, templateFields } from "./http-fields.ts";
import { signingSecrets } from "./signing.ts";

export const alertWebhookSettingsSchema = z
  .strictObject({
    type: z.literal("alert-webhook").describe("Requests by HTTP: Microsoft Teams, Discord, anything"),
    ...alertFields(),
    url: httpAddress("Where it is sent to"),
    form: field(
      choice(["json", "teams", "discord", "template"]),
      "json: the notification; teams: an Adaptive Card for a workflow of Microsoft Teams; discord: an embed; template: what `template` makes of it. Without it json, or template where there is one",
    ).optional(),
    ...templateFields("A Liquid template of the body over `notification`, or env:NAME or file:PATH of one"),
    headers: headers("Headers of the request").optional(),
    secrets: signingSecrets.optional(),
    tls: tls("Certificates of the connection").optional(),
    allowPrivate,
  })
  .superRefine(({ form, template }, context) => {
    const isTemplate = form === undefined ? template !== undefined : form === "template";
    if (isTemplate === (template !== undefined)) return;
    context.addIssue({
      code: "custom",
      path: ["template"],
      message: "form: template and a template go together; give both, or the template alone",
    });
  });
export type AlertWebhookSettings = z.infer<typeof alertWebhookSettingsSchema>;
