import { hash } from "node:crypto";
import { instanceOf } from "../../routing/notifications.ts";
import type { AlertMessage } from "./alert-destination.ts";

/** The same for each attempt to tell the same of a group, by which receivers know what they had already. */
export function messageName(source: string, { group, firing, resolved }: AlertMessage): string {
  const { key, lastSentAt, waitsSince } = group;
  const alerts = [firing, resolved].map((some) => some.map(instanceOf));
  return hash("sha256", JSON.stringify([source, key, lastSentAt, waitsSince, alerts]), "base64url");
}
