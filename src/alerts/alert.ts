import type { SubjectRef } from "./model/subject.ts";

/** A state with a beginning and an end. Times are milliseconds since 1970, as the feed saw it. */
export interface Alert {
  readonly rule: string;
  /** With the rule it is what identifies the alert. */
  readonly subject: SubjectRef;
  state: "pending" | "firing" | "resolved";
  /** When it began to hold; with `isMeanwhile` when that was found. */
  readonly startsAt: number;
  /** When it had held for so long that it fired. */
  firedAt: number | undefined;
  endsAt: number | undefined;
  /** Since when it fires though it holds no longer, and why it will end. */
  kept: { readonly since: number; readonly reason: EndReason } | undefined;
  /** Why it ended. */
  reason: EndReason | undefined;
  /** It began while nobody looked: when it was found, it was there. */
  readonly isMeanwhile: boolean;
  /** How many of what the rule counts, at last. */
  count: number;
  /** What explains it, at last. */
  details: Readonly<Record<string, string>>;
  /** Ids of the latest events about it. */
  evidence: string[];
  /** When the latest of them was seen. */
  lastEventAt: number | undefined;
}

/**
 * recovered: it holds no longer; collected: Nomad forgot what it was about; purged, gone: its job is no more;
 * stopped: its job was stopped; folded into X: another alert explains it; rule switched off: nobody asks for it any more.
 */
export type EndReason =
  | "recovered"
  | "collected"
  | "purged"
  | "gone"
  | "stopped"
  | "namespace removed"
  | "node removed"
  | "rule switched off"
  | `folded into ${string}`;

export const MAX_EVIDENCE = 5;
