import type { AlertWebhookSettings } from "../../schemas/destinations/alert-webhook.ts";
import type {
  AlertDestination,
  AlertDestinationDeps,
  AlertMessage,
  AlertSendResult,
} from "../alerting/alert-destination.ts";
import { messageName } from "../alerting/message-name.ts";
import { Endpoint } from "../http-client/endpoint.ts";
import { JsonPosts } from "../http-client/json-posts.ts";
import { resultOf } from "../http-client/status-result.ts";
import { Signatures } from "../webhook/signature.ts";
import { BodyTemplate, TemplateFailed, templateText } from "../webhook/template.ts";
import { FORMS } from "./forms.ts";
import { notificationOf } from "./notification.ts";

/** @throws what is wrong with a secret, the template, or a TLS file */
export async function openAlertWebhook(
  settings: AlertWebhookSettings,
  deps: AlertDestinationDeps,
): Promise<AlertDestination> {
  return new AlertWebhook(settings, deps);
}

/** A request for each message: JSON, or what a template makes of it. */
class AlertWebhook implements AlertDestination {
  readonly target: string;
  readonly #endpoint: Endpoint;
  readonly #contentType: string;
  readonly #template: BodyTemplate | undefined;
  readonly #signatures: Signatures;
  readonly #posts: JsonPosts;
  readonly #deps: AlertDestinationDeps;

  constructor(settings: AlertWebhookSettings, deps: AlertDestinationDeps) {
    const { contentType = "application/json", tls, allowPrivate } = settings;
    const secrets = (settings.secrets ?? []).map((reference) => deps.readSecret(reference).trim());
    const text = templateOf(settings, deps);
    this.#deps = deps;
    this.#endpoint = new Endpoint(settings, deps.readSecret);
    this.target = this.#endpoint.origin;
    this.#contentType = contentType;
    this.#template = text === undefined ? undefined : new BodyTemplate(text, contentType, "notification");
    this.#signatures = new Signatures(secrets);
    const hidden = [
      ...secrets,
      ...secrets.map((secret) => secret.slice("whsec_".length)),
      ...this.#endpoint.secrets,
    ];
    this.#posts = new JsonPosts({ ...tls, allowPrivate }, hidden, deps);
  }

  async send(message: AlertMessage, signal: AbortSignal): Promise<AlertSendResult> {
    try {
      return await this.#post(message, this.#bodyOf(message), signal);
    } catch (error) {
      if (!(error instanceof TemplateFailed)) throw error;
      return { outcome: "refused", why: "config", reason: error.message };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#posts[Symbol.asyncDispose]();
  }

  #bodyOf(message: AlertMessage): string {
    const json = JSON.stringify(notificationOf(message, this.#deps));
    return this.#template === undefined ? json : this.#template.render(json).toString();
  }

  async #post(message: AlertMessage, body: string, signal: AbortSignal): Promise<AlertSendResult> {
    const id = `msg_${messageName(this.#deps.source, message)}`;
    const signed = this.#signatures.headers(id, this.#deps.clock.now(), Buffer.from(body));
    const { url } = this.#endpoint;
    const headers = { "content-type": this.#contentType, ...this.#endpoint.headers, ...signed };
    const posted = await this.#posts.post({ url, headers, body }, signal);
    if ("failure" in posted) return posted.failure;
    return { ...resultOf(posted.answer), exchange: posted.exchange };
  }
}

function templateOf(
  { form, template }: AlertWebhookSettings,
  deps: AlertDestinationDeps,
): string | undefined {
  if (form === "teams" || form === "discord") return FORMS[form];
  return templateText(template, deps.readSecret);
}
