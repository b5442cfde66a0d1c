import { hash } from "node:crypto";
import type { WebhookSettings } from "../../schemas/destinations/webhook.ts";
import { memberTexts } from "../../schemas/json-members.ts";
import type { Outgoing } from "../delivery/destination.ts";
import { BodyTemplate } from "./template.ts";

/** What a request says, before it is signed. */
export interface Body {
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Buffer;
}

/** Makes the body of a request of a batch; of one event, unless it is `batched`. */
export type MakeBody = (batch: readonly Outgoing[]) => Body;

type Format = NonNullable<WebhookSettings["format"]>;

/** What the body is where the configuration does not say. */
export function formatOf({
  format,
  template,
  batch,
}: Pick<WebhookSettings, "format" | "template" | "batch">): Format {
  if (format !== undefined) return format;
  if (template !== undefined) return "template";
  return batch.events > 1 ? "batched" : "structured";
}

/** CloudEvents 1.0 by its HTTP binding, or by a template. @throws TemplateFailed where that does not parse */
export function bodyMaker(format: Format, template: string | undefined, contentType: string): MakeBody {
  switch (format) {
    case "structured":
      return ([event]) => body("application/cloudevents+json; charset=utf-8", event?.json ?? "");
    case "batched":
      return (batch) =>
        body(
          "application/cloudevents-batch+json; charset=utf-8",
          `[${batch.map(({ json }) => json).join(",")}]`,
        );
    case "binary":
      return ([event]) => binary(event?.json ?? "{}");
    case "template": {
      const parsed = new BodyTemplate(template ?? "", contentType);
      return ([event]) => ({
        headers: { "content-type": contentType },
        bytes: parsed.render(event?.json ?? "{}"),
      });
    }
    default:
      return format satisfies never;
  }
}

/**
 * `webhook-id`, by which receivers tell what they had already: the same for the same events of the same feed. A hash, as
 * ids of events hold what no header may, and two feeds can have the same.
 */
export function messageId(source: string, batch: readonly Outgoing[]): string {
  const names = JSON.stringify([source, ...batch.map(({ id }) => id)]);
  return `msg_${hash("sha256", names, "base64url").slice(0, 32)}`;
}

function body(contentType: string, text: string): Body {
  return { headers: { "content-type": contentType }, bytes: Buffer.from(text) };
}

/** Attributes in headers, and the data's own bytes. */
function binary(json: string): Body {
  const { data = "", datacontenttype, ...attributes } = Object.fromEntries(memberTexts(json));
  const headers = Object.entries(attributes).map(([name, text]) => [`ce-${name}`, headerText(valueOf(text))]);
  return {
    headers: {
      "content-type": datacontenttype === undefined ? "application/json" : valueOf(datacontenttype),
      ...Object.fromEntries(headers),
    },
    bytes: Buffer.from(data),
  };
}

function valueOf(text: string): string {
  return String(JSON.parse(text));
}

/** Anything but printable ASCII, and the space, the quote and the percent sign, goes as the percent-encoding of its UTF-8. */
function headerText(text: string): string {
  return text.replaceAll(/[^!#$&-~]+/g, (run) =>
    [...Buffer.from(run)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join(""),
  );
}
