import type { AlertJson } from "../../schemas/alert-schema.ts";
import type { Attempt } from "../../schemas/delivery-schema.ts";
import {
  isNotified,
  isRepeated,
  type NotifiedConfig,
  type RepeatedConfig,
  type ToldConfig,
} from "../../schemas/destinations/told.ts";
import type { Clock } from "../../shared/clock.ts";
import { attemptOf, type Attempts, type Sent } from "../delivery/attempts.ts";
import type { SendResult } from "../delivery/destination.ts";
import { sendOnce } from "../delivery/send.ts";
import type { AlertDestination, AlertSendResult } from "./alert-destination.ts";
import type { AlertReplica } from "./alert-replica.ts";
import { endedTest, testAlert, testMessage } from "./test-alert.ts";

export interface TestSendingDeps {
  readonly clock: Clock;
  /** Labels of the whole feed. */
  readonly shared: Readonly<Record<string, string>>;
  /** Rejects where the settings are wrong. */
  readonly open: (config: RepeatedConfig) => Promise<readonly AlertReplica[]>;
  /** Rejects where the settings are wrong. */
  readonly notify: (config: NotifiedConfig) => Promise<AlertDestination>;
}

/**
 * Sends an alert that nothing makes, past routes, silences and pauses: to people its end too, so that no incident stays
 * open; at an Alertmanager, to all replicas, it ends by itself. Answers the first send that failed, or else the first.
 */
export async function sendTest(
  config: ToldConfig,
  attempts: Attempts,
  deps: TestSendingDeps,
): Promise<Attempt> {
  const alert = testAlert(config.name, deps.shared, deps.clock.now());
  const sending = new TestSending(config, alert, attempts, deps.clock);
  try {
    if (isRepeated(config)) await sending.tellReplicas(await deps.open(config));
    if (isNotified(config)) await sending.tellPeople(await deps.notify(config), config.name);
  } catch (error) {
    sending.cannotOpen(error);
  }
  return sending.outcome();
}

class TestSending {
  readonly #timeoutMs: number;
  readonly #alert: AlertJson;
  readonly #attempts: Attempts;
  readonly #clock: Clock;
  readonly #sent: Sent[] = [];

  constructor({ settings }: ToldConfig, alert: AlertJson, attempts: Attempts, clock: Clock) {
    this.#timeoutMs = settings.timeout;
    this.#alert = alert;
    this.#attempts = attempts;
    this.#clock = clock;
  }

  async tellReplicas(replicas: readonly AlertReplica[]): Promise<void> {
    await using opened = new AsyncDisposableStack();
    for (const replica of replicas) opened.use(replica);
    for (const replica of replicas) await this.#send((signal) => replica.send([this.#alert], false, signal));
  }

  async tellPeople(destination: AlertDestination, name: string): Promise<void> {
    await using opened = destination;
    const begin = testMessage(name, this.#alert, null);
    const result: AlertSendResult = await this.#send((signal) => opened.send(begin, signal));
    if (result.outcome !== "ok") return;
    const ended = endedTest(this.#alert, this.#clock.now());
    const end = testMessage(name, ended, result.remember ?? null);
    await this.#send((signal) => opened.send(end, signal));
  }

  cannotOpen(error: unknown): void {
    const reason = `it cannot be opened: ${error instanceof Error ? error.message : String(error)}`;
    this.#add({ outcome: "refused", why: "config", reason }, this.#clock.now(), 0);
  }

  outcome(): Attempt {
    const told = this.#sent.find(({ result }) => result.outcome !== "ok") ?? this.#sent[0];
    if (told === undefined) throw new Error("nothing was sent");
    return attemptOf(told);
  }

  async #send<Result extends SendResult>(
    send: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result | SendResult> {
    const [atMs, beganAtMs] = [this.#clock.now(), this.#clock.elapsed()];
    const stop = new AbortController().signal;
    const answered = await sendOnce(send, { clock: this.#clock, timeoutMs: this.#timeoutMs, stop });
    const result = answered ?? ({ outcome: "retry", reason: "stopped" } as const);
    this.#add(result, atMs, this.#clock.elapsed() - beganAtMs);
    return result;
  }

  #add(result: SendResult, atMs: number, ms: number): void {
    const sent = { events: 1, firstId: this.#alert.id, result, atMs, ms };
    this.#sent.push(sent);
    this.#attempts.add(sent);
  }
}
