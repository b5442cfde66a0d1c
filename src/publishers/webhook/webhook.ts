import type { WebhookSettings } from "../../schemas/destinations/webhook.ts";
import { HiddenTexts } from "../hidden.ts";
import type { Destination, Outgoing, SendResult } from "../delivery/destination.ts";
import type { DestinationDeps } from "../destination-deps.ts";
import type { Resolve } from "../http-client/addresses.ts";
import { failureOf, headerOf, type Answer } from "../http-client/answer.ts";
import { resultOf } from "../http-client/status-result.ts";
import { bodyMaker, formatOf, messageId, type Body, type MakeBody } from "./bodies.ts";
import { Endpoint } from "../http-client/endpoint.ts";
import { HttpClient } from "../http-client/http-client.ts";
import { ShownExchange } from "../http-client/shown-exchange.ts";
import { SkewWatch } from "./skew-watch.ts";
import { Signatures } from "./signature.ts";
import { TemplateFailed, templateText } from "./template.ts";

/** @throws what is wrong with a secret, the template, or a TLS file */
export async function openWebhook(
  settings: WebhookSettings,
  deps: DestinationDeps,
  resolve?: Resolve,
): Promise<Destination> {
  return new WebhookDestination(settings, deps, resolve);
}

/**
 * Sends events in requests by HTTP, signed as Standard Webhooks 1.0 asks. What was read of the answer is bounded; the
 * connection is used again.
 */
class WebhookDestination implements Destination {
  readonly target: string;
  readonly limits: { maxEvents?: number };
  readonly #method: "POST" | "PUT" | "PATCH";
  readonly #endpoint: Endpoint;
  readonly #signatures: Signatures;
  readonly #makeBody: MakeBody;
  readonly #hidden: HiddenTexts;
  readonly #client: HttpClient;
  readonly #skew: SkewWatch;
  readonly #deps: DestinationDeps;

  constructor(settings: WebhookSettings, deps: DestinationDeps, resolve: Resolve | undefined) {
    const secrets = (settings.secrets ?? []).map((reference) => deps.readSecret(reference));
    this.#deps = deps;
    this.#method = settings.method;
    this.#endpoint = new Endpoint(settings, deps.readSecret);
    this.target = this.#endpoint.origin;
    const format = formatOf(settings);
    this.limits = format === "batched" ? {} : { maxEvents: 1 };
    this.#signatures = new Signatures(secrets);
    const { contentType = "application/json" } = settings;
    this.#makeBody = bodyMaker(format, templateText(settings.template, deps.readSecret), contentType);
    this.#hidden = new HiddenTexts([...secrets, ...secrets.map(withoutPrefix), ...this.#endpoint.secrets]);
    const connection = { ...settings.tls, allowPrivate: settings.allowPrivate, resolve };
    this.#client = new HttpClient(connection, deps);
    this.#skew = new SkewWatch(deps.clock, deps.logger);
  }

  async send(batch: readonly Outgoing[], signal: AbortSignal, traceparent?: string): Promise<SendResult> {
    signal.throwIfAborted();
    const body = this.#bodyOf(batch);
    if ("outcome" in body) return body;
    const id = messageId(this.#deps.source, batch);
    const own = {
      ...body.headers,
      ...this.#signatures.headers(id, this.#deps.clock.now(), body.bytes),
      ...(traceparent !== undefined && { traceparent }),
    };
    try {
      const answer = await this.#ask({ ...this.#endpoint.headers, ...own }, body.bytes, signal);
      this.#skew.see(headerOf(answer, "date"));
      return { ...resultOf(answer), exchange: this.#shown(own, body, answer) };
    } catch (error) {
      signal.throwIfAborted();
      return { ...failureOf(error), exchange: this.#shown(own, body, null) };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
  }

  #bodyOf(batch: readonly Outgoing[]): Body | SendResult {
    try {
      return this.#makeBody(batch);
    } catch (error) {
      if (!(error instanceof TemplateFailed)) throw error;
      return { outcome: "refused", why: "config", reason: error.message };
    }
  }

  /** `headers`: those that are made here; what is configured may be secret. */
  #shown(headers: Body["headers"], { bytes }: Body, answer: Answer | null): ShownExchange {
    const target = `${this.#method} ${this.target}`;
    return new ShownExchange(this.#hidden, { target, headers, body: bytes, answer });
  }

  #ask(headers: Record<string, string>, body: Buffer, signal: AbortSignal): Promise<Answer> {
    return this.#client.ask({ url: this.#endpoint.url, method: this.#method, headers, body }, signal);
  }
}

function withoutPrefix(secret: string): string {
  return secret.trim().replace(/^wh(?:sec|sk)_/, "");
}
