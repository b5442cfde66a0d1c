import { alertmanagerSettingsSchema, type AlertmanagerSettings } from "./alertmanager.ts";

/** What the file says of a destination that alerts go to, and no events. */
export type ToldSettings = AlertmanagerSettings;

/** What each type takes that the file may have. */
export const TOLD_SCHEMAS: ReadonlyMap<string, typeof alertmanagerSettingsSchema> = new Map([
  ["alertmanager", alertmanagerSettingsSchema],
]);

/** A destination of alerts as configured, checked. */
export interface AlertDestinationConfig {
  readonly name: string;
  /** Line of the file that it begins at. */
  readonly line: number;
  readonly settings: ToldSettings;
  /** Another one where a setting is another, or what stands behind a reference or in a file that it names. */
  readonly fingerprint: string;
}
