import type { PagerDutySettings } from "../../schemas/destinations/pagerduty.ts";
import type {
  AlertDestination,
  AlertDestinationDeps,
  AlertMessage,
  AlertSendResult,
} from "../alerting/alert-destination.ts";
import type { SendResult } from "../delivery/destination.ts";
import type { Answer } from "../http-client/answer.ts";
import { Endpoint } from "../http-client/endpoint.ts";
import { JsonPosts } from "../http-client/json-posts.ts";
import { resultOf } from "../http-client/status-result.ts";
import { eventOf } from "./event.ts";

/** @throws what is wrong with a secret */
export async function openPagerDuty(
  settings: PagerDutySettings,
  deps: AlertDestinationDeps,
): Promise<AlertDestination> {
  return new PagerDuty(settings, deps);
}

/** An incident for each group: triggered while something of it fires, resolved when nothing does. */
class PagerDuty implements AlertDestination {
  readonly target: string;
  readonly #endpoint: Endpoint;
  readonly #routingKey: string;
  readonly #posts: JsonPosts;
  readonly #deps: AlertDestinationDeps;

  constructor({ url, routingKey, allowPrivate }: PagerDutySettings, deps: AlertDestinationDeps) {
    this.#deps = deps;
    this.#endpoint = new Endpoint({ url }, deps.readSecret);
    this.target = this.#endpoint.origin;
    this.#routingKey = deps.readSecret(routingKey).trim();
    this.#posts = new JsonPosts({ allowPrivate }, [this.#routingKey, ...this.#endpoint.secrets], deps);
  }

  async send(message: AlertMessage, signal: AbortSignal): Promise<AlertSendResult> {
    const { url, headers } = this.#endpoint;
    const body = JSON.stringify({ routing_key: this.#routingKey, ...eventOf(message, this.#deps) });
    const posted = await this.#posts.post({ url, headers, body }, signal);
    if ("failure" in posted) return posted.failure;
    return { ...meaningOf(posted.answer), exchange: posted.exchange };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#posts[Symbol.asyncDispose]();
  }
}

/** A wrong key is answered with the same status as a wrong event. */
function meaningOf(answer: Answer): SendResult {
  const result = resultOf(answer);
  if (result.outcome !== "refused" || !errorsOf(answer.text).some((text) => /routing[ _]key/i.test(text)))
    return result;
  return { ...result, why: "config", reason: `${result.reason} and says that the routing key is wrong` };
}

function errorsOf(text: string): string[] {
  try {
    const { errors } = JSON.parse(text) as { errors?: unknown };
    return Array.isArray(errors) ? errors.map(String) : [];
  } catch {
    return [];
  }
}
