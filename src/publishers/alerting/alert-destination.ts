import type { Notification } from "../../routing/notifications.ts";
import type { Json } from "../../schemas/json.ts";
import type { SendResult } from "../delivery/destination.ts";
import type { DestinationDeps } from "../destination-deps.ts";

/**
 * Where people are told of alerts. It says once what it is given, and how that went: when to tell, what to tell again,
 * and pauses after failures are the notifier's.
 */
export interface AlertDestination extends AsyncDisposable {
  /** Where it sends to, for people; never a secret: "https://events.pagerduty.com". */
  readonly target: string;
  /**
   * Resolves whatever the answer is. Rejects when `signal` aborts; any other rejection counts as retry. Messages of one
   * group come one after the other.
   */
  send(message: AlertMessage, signal: AbortSignal): Promise<AlertSendResult>;
}

/** With nothing that fires it is the last of its group. */
export interface AlertMessage extends Notification {
  /** What the destination asked to remember of this group; null: nothing yet. */
  readonly remembered: Json | null;
}

/** `remember`: what the next message of the group comes with, whatever the outcome is. Absent: as before. */
export type AlertSendResult = SendResult & { readonly remember?: Json };

/** What such a destination gets besides its settings. */
export interface AlertDestinationDeps extends DestinationDeps {
  /** Address of a page of Nomad's UI, `page` of an alert; undefined where that is not known. */
  readonly pageUrl: (page: string) => string | undefined;
  /** What to do about alerts of a rule. */
  readonly todo: (rule: string) => readonly string[];
}
