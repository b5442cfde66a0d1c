import { ALERT_DESTINATION_SCHEMAS, type AlertDestinationSettings } from "./alert-destinations.ts";
import { alertmanagerSettingsSchema, type AlertmanagerSettings } from "./alertmanager.ts";

/** What the file says of a destination that is told of alerts, and gets no events. */
export type ToldSettings = AlertDestinationSettings | AlertmanagerSettings;

type ToldSchema =
  | typeof alertmanagerSettingsSchema
  | NonNullable<ReturnType<typeof ALERT_DESTINATION_SCHEMAS.get>>;

/** What each type takes. */
export const TOLD_SCHEMAS = new Map<string, ToldSchema>([
  ["alertmanager", alertmanagerSettingsSchema],
  ...ALERT_DESTINATION_SCHEMAS,
]);

interface Configured<Settings> {
  readonly name: string;
  /** Line of the file that it begins at. */
  readonly line: number;
  readonly settings: Settings;
  /** Another one where a setting is another, or what stands behind a reference or in a file that it names. */
  readonly fingerprint: string;
}

/** A destination of alerts as configured, checked. */
export type ToldConfig = Configured<ToldSettings>;
/** One that wants all that fires, again and again. */
export type RepeatedConfig = Configured<AlertmanagerSettings>;
/** One that wants messages of what changed, by the routes. */
export type NotifiedConfig = Configured<AlertDestinationSettings>;

export function isRepeated(config: ToldConfig): config is RepeatedConfig {
  return config.settings.type === "alertmanager";
}

export function isNotified(config: ToldConfig): config is NotifiedConfig {
  return !isRepeated(config);
}
