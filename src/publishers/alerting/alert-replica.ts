import type { AlertJson } from "../../schemas/alert-schema.ts";
import type { SendResult } from "../delivery/destination.ts";

/**
 * Where alerts go: one place that keeps them by itself, as one replica of an Alertmanager. It is told all that fires
 * again and again, and sends what it is given once: when, and what after a failure, is the repeater's.
 */
export interface AlertReplica extends AsyncDisposable {
  /** Where it sends to, for people; never a secret. */
  readonly target: string;
  /** Between two times at which all is told, ms. */
  readonly resendMs: number;
  /** `isWhole`: all that fires is among them. Rejects when `signal` aborts; any other rejection counts as retry. */
  send(alerts: readonly AlertJson[], isWhole: boolean, signal: AbortSignal): Promise<SendResult>;
}
