import type { AlertJson } from "../../schemas/alert-schema.ts";
import type { AlertmanagerSettings } from "../../schemas/destinations/alertmanager.ts";
import type { AlertReplica } from "../alerting/alert-replica.ts";
import type { Exchange, Refusal, SendResult } from "../delivery/destination.ts";
import type { AlertDestinationDeps } from "../alerting/alert-destination.ts";
import { HiddenTexts } from "../hidden.ts";
import { failureOf, waitOf, type Answer } from "../http-client/answer.ts";
import { Endpoint } from "../http-client/endpoint.ts";
import { HttpClient } from "../http-client/http-client.ts";
import { postableOf, watchdog, type PostableAlert } from "./postable.ts";

const SHOWN_LENGTH = 1024;
/** Alerts of one request. */
const AT_ONCE = 500;

const REFUSALS: ReadonlyMap<number, Refusal> = new Map([
  [400, "poison"],
  [413, "too-large"],
  [401, "forbidden"],
  [403, "forbidden"],
  [407, "forbidden"],
  [410, "gone"],
]);

type Deps = Pick<AlertDestinationDeps, "clock" | "logger" | "readSecret" | "pageUrl">;

/** One destination for each replica. `shared`: labels of the whole feed. @throws what is wrong with the settings */
export function openAlertmanager(
  settings: AlertmanagerSettings,
  shared: Readonly<Record<string, string>>,
  deps: Deps,
): AlertReplica[] {
  return settings.urls.map((url) => new Replica(url, settings, shared, deps));
}

class Replica implements AlertReplica {
  readonly target: string;
  readonly resendMs: number;
  readonly #settings: AlertmanagerSettings;
  readonly #shared: Readonly<Record<string, string>>;
  readonly #deps: Deps;
  readonly #endpoint: Endpoint;
  readonly #hidden: HiddenTexts;
  readonly #client: HttpClient;
  readonly #sinceMs: number;

  constructor(
    url: string,
    settings: AlertmanagerSettings,
    shared: Readonly<Record<string, string>>,
    deps: Deps,
  ) {
    const { headers, tls, allowPrivate, resend } = settings;
    this.#settings = settings;
    this.#shared = shared;
    this.#deps = deps;
    this.resendMs = resend;
    this.#endpoint = new Endpoint(
      { url: `${url.replace(/\/+$/, "")}/api/v2/alerts`, headers },
      deps.readSecret,
    );
    this.target = this.#endpoint.origin;
    this.#hidden = new HiddenTexts(this.#endpoint.secrets);
    this.#sinceMs = deps.clock.now();
    this.#client = new HttpClient({ ...tls, allowPrivate }, deps);
  }

  async send(alerts: readonly AlertJson[], isWhole: boolean, signal: AbortSignal): Promise<SendResult> {
    const nowMs = this.#deps.clock.now();
    const shape = { ...this.#settings, pageUrl: this.#deps.pageUrl };
    const lives = { nowMs, sinceMs: this.#sinceMs };
    const postable = [
      ...(isWhole ? [watchdog(this.#shared, lives, this.#settings)] : []),
      ...alerts.map((alert) => postableOf(alert, nowMs, shape)),
    ];
    let result: SendResult = { outcome: "ok" };
    for (let first = 0; first < postable.length; first += AT_ONCE) {
      const next = await this.#post(postable.slice(first, first + AT_ONCE), signal);
      if (next.outcome === "retry" || (next.outcome === "refused" && next.which === undefined)) return next;
      if (result.outcome === "ok") result = next;
    }
    return result;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
  }

  async #post(alerts: readonly PostableAlert[], signal: AbortSignal): Promise<SendResult> {
    signal.throwIfAborted();
    const body = JSON.stringify(alerts);
    const shown = this.#shown(`POST ${this.target}/api/v2/alerts\n\n${body}`, body.length > SHOWN_LENGTH);
    try {
      const answer = await this.#ask(body, signal);
      const exchange: Exchange = {
        request: shown,
        answer: this.#shown(answer.text, answer.isCut),
        status: answer.status,
      };
      return { ...this.#resultOf(answer), exchange };
    } catch (error) {
      signal.throwIfAborted();
      return { ...failureOf(error), exchange: { request: shown, answer: null } };
    }
  }

  #ask(body: string, signal: AbortSignal): Promise<Answer> {
    const { url, headers } = this.#endpoint;
    const all = { ...headers, "content-type": "application/json" };
    return this.#client.ask({ url, method: "POST", headers: all, body }, signal);
  }

  /** With 400 it took those that are valid: only what it says of the others is to be told. */
  #resultOf(answer: Answer): SendResult {
    const { status, text } = answer;
    if (status >= 200 && status < 300) return { outcome: "ok" };
    const said = this.#shown(text.trim(), false);
    const reason = said === "" ? `it answered ${status}` : `it answered ${status}: ${said}`;
    if (status === 429 || status >= 500) return { outcome: "retry", reason, ...waitOf(answer) };
    const why = REFUSALS.get(status) ?? "config";
    return { outcome: "refused", why, reason, ...(why === "poison" && { which: [] }) };
  }

  #shown(text: string, isCut: boolean): string {
    return this.#hidden.show(text.slice(0, 2 * SHOWN_LENGTH), SHOWN_LENGTH, isCut);
  }
}
