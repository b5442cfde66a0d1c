import { alertWebhookSettingsSchema, type AlertWebhookSettings } from "./alert-webhook.ts";
import { emailSettingsSchema, type EmailSettings } from "./email.ts";
import { pagerDutySettingsSchema, type PagerDutySettings } from "./pagerduty.ts";
import { slackSettingsSchema, type SlackSettings } from "./slack.ts";

const SCHEMAS = [
  pagerDutySettingsSchema,
  slackSettingsSchema,
  emailSettingsSchema,
  alertWebhookSettingsSchema,
] as const;

export type AlertDestinationSettings =
  | PagerDutySettings
  | SlackSettings
  | EmailSettings
  | AlertWebhookSettings;

/** What each type of destination takes that alerts go to. */
export const ALERT_DESTINATION_SCHEMAS: ReadonlyMap<string, (typeof SCHEMAS)[number]> = new Map(
  SCHEMAS.map((schema) => [schema.shape.type.value, schema]),
);
