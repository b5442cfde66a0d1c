import { z } from "zod";
import { alertFields } from "./alert-fields.ts";
import { allowPrivate } from "./http-fields.ts";
import { httpAddress, secret } from "./fields.ts";

export const pagerDutySettingsSchema = z.strictObject({
  type: z.literal("pagerduty").describe("Incidents of PagerDuty, by its Events API v2"),
  ...alertFields(),
  routingKey: secret("Integration key of the service: 32 characters", {
    pattern: /^[A-Za-z0-9]{32}$/,
    allowed: "a key of 32 letters and digits",
  }),
  url: httpAddress(
    "Where events are sent to. Of the European service: https://events.eu.pagerduty.com/v2/enqueue",
  ).prefault("https://events.pagerduty.com/v2/enqueue"),
  allowPrivate,
});
export type PagerDutySettings = z.infer<typeof pagerDutySettingsSchema>;
