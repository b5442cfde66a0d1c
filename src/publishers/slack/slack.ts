import { z } from "zod";
import type { SlackSettings } from "../../schemas/destinations/slack.ts";
import type {
  AlertDestination,
  AlertDestinationDeps,
  AlertMessage,
  AlertSendResult,
} from "../alerting/alert-destination.ts";
import { storyOf } from "../alerting/story.ts";
import { Endpoint } from "../http-client/endpoint.ts";
import { JsonPosts } from "../http-client/json-posts.ts";
import { resultOf } from "../http-client/status-result.ts";
import { messageOf, replyOf } from "./blocks.ts";
import { meaningOf, type Meaning } from "./meaning.ts";
import { Pace } from "./pace.ts";

/** Slack lets about one message a second into a channel. */
const EVERY_MS = 1000;

/** @throws what is wrong with a secret */
export async function openSlack(
  settings: SlackSettings,
  deps: AlertDestinationDeps,
): Promise<AlertDestination> {
  const { token, channel, webhook } = settings;
  if (webhook !== undefined) return new SlackWebhook(webhook, settings, deps);
  if (token === undefined || channel === undefined)
    throw new Error("slack needs token and channel, or webhook");
  return new SlackBot(token, channel, settings, deps);
}

/** The message of a group. */
const rememberedSchema = z.object({ channel: z.string(), ts: z.string() });
type Remembered = z.infer<typeof rememberedSchema>;

/**
 * One message for each group, kept up to date. What is new stands in its thread too, as a change notifies nobody; what
 * still fires after long is shown in the channel again.
 */
class SlackBot implements AlertDestination {
  readonly target: string;
  readonly #api: Endpoint;
  readonly #token: string;
  readonly #channel: string;
  readonly #posts: JsonPosts;
  readonly #pace: Pace;
  readonly #deps: AlertDestinationDeps;

  constructor(
    token: string,
    channel: string,
    { api, allowPrivate }: SlackSettings,
    deps: AlertDestinationDeps,
  ) {
    this.#deps = deps;
    this.#api = new Endpoint({ url: api }, deps.readSecret);
    this.#token = deps.readSecret(token).trim();
    this.#channel = channel;
    this.target = `${this.#api.origin} ${channel}`;
    this.#posts = new JsonPosts({ allowPrivate }, [this.#token, ...this.#api.secrets], deps);
    this.#pace = new Pace(deps.clock, EVERY_MS);
  }

  async send(message: AlertMessage, signal: AbortSignal): Promise<AlertSendResult> {
    const known = rememberedSchema.safeParse(message.remembered).data;
    if (known === undefined) return this.#post(message, signal);
    const { isGone, result } = await this.#call(
      "chat.update",
      { ...known, ...this.#render(message) },
      signal,
    );
    if (isGone) return this.#post(message, signal);
    return result.outcome === "ok" ? this.#reply(known, message, signal) : result;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#posts[Symbol.asyncDispose]();
  }

  async #post(message: AlertMessage, signal: AbortSignal): Promise<AlertSendResult> {
    const body = { channel: this.#channel, ...this.#render(message) };
    const { result, said } = await this.#call("chat.postMessage", body, signal);
    const posted = rememberedSchema.safeParse(said).data;
    return posted === undefined ? result : { ...result, remember: memoryOf(message, posted) };
  }

  async #reply(
    { channel, ts }: Remembered,
    message: AlertMessage,
    signal: AbortSignal,
  ): Promise<AlertSendResult> {
    const text = replyOf(message, storyOf(message, this.#deps));
    const body = { channel, thread_ts: ts, text, reply_broadcast: message.isRepeat, unfurl_links: false };
    const { result } = await this.#call("chat.postMessage", body, signal);
    return { ...result, ...(result.outcome === "ok" && { remember: memoryOf(message, { channel, ts }) }) };
  }

  #render(message: AlertMessage): object {
    return { ...messageOf(storyOf(message, this.#deps)), unfurl_links: false };
  }

  async #call(method: string, body: object, signal: AbortSignal): Promise<Meaning> {
    await this.#pace.turn(signal);
    const url = new URL(`${this.#api.url.href.replace(/\/$/, "")}/${method}`);
    const headers = { ...this.#api.headers, authorization: `Bearer ${this.#token}` };
    const posted = await this.#posts.post({ url, headers, body: JSON.stringify(body) }, signal);
    if ("failure" in posted) return { result: posted.failure };
    const meaning = meaningOf(posted.answer);
    return { ...meaning, result: { ...meaning.result, exchange: posted.exchange } };
  }
}

/** What begins after the end is a message of its own. */
function memoryOf({ firing }: AlertMessage, { channel, ts }: Remembered): Remembered | null {
  return firing.length === 0 ? null : { channel, ts };
}

/** Each message is a new one: an incoming webhook says nothing of what it posted. */
class SlackWebhook implements AlertDestination {
  readonly target: string;
  readonly #endpoint: Endpoint;
  readonly #posts: JsonPosts;
  readonly #pace: Pace;
  readonly #deps: AlertDestinationDeps;

  constructor(webhook: string, { allowPrivate }: SlackSettings, deps: AlertDestinationDeps) {
    this.#deps = deps;
    this.#endpoint = new Endpoint({ url: webhook }, deps.readSecret);
    this.target = this.#endpoint.origin;
    this.#posts = new JsonPosts({ allowPrivate }, this.#endpoint.secrets, deps);
    this.#pace = new Pace(deps.clock, EVERY_MS);
  }

  async send(message: AlertMessage, signal: AbortSignal): Promise<AlertSendResult> {
    await this.#pace.turn(signal);
    const { url, headers } = this.#endpoint;
    const body = JSON.stringify(messageOf(storyOf(message, this.#deps)));
    const posted = await this.#posts.post({ url, headers, body }, signal);
    if ("failure" in posted) return posted.failure;
    return { ...resultOf(posted.answer), exchange: posted.exchange };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#posts[Symbol.asyncDispose]();
  }
}
