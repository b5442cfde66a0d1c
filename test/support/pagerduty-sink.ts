import type { ServerResponse } from "node:http";
import { z } from "zod";
import { ContractSink } from "./contract-sink.ts";
import { WebhookSink, type Received } from "./webhook-sink.ts";

/** What Events API v2 takes, as published. */
const common = {
  routing_key: z.string().length(32),
  dedup_key: z.string().min(1).max(255),
};
const eventSchema = z.discriminatedUnion("event_action", [
  z.strictObject({ ...common, event_action: z.literal("resolve") }),
  z.strictObject({
    ...common,
    event_action: z.literal("trigger"),
    client: z.string().optional(),
    client_url: z.url().optional(),
    links: z.array(z.strictObject({ href: z.url(), text: z.string() })).optional(),
    payload: z.strictObject({
      summary: z.string().min(1).max(1024),
      source: z.string().min(1),
      severity: z.enum(["critical", "error", "warning", "info"]),
      timestamp: z.iso.datetime().optional(),
      component: z.string().optional(),
      group: z.string().optional(),
      class: z.string().optional(),
      custom_details: z.record(z.string(), z.unknown()).optional(),
    }),
  }),
]);
type PagerDutyEvent = z.infer<typeof eventSchema>;
const MAX_BYTES = 512 * 1024;

/** Stands in for PagerDuty's Events API v2. */
export class PagerDutySink extends ContractSink {
  readonly events: PagerDutyEvent[] = [];
  readonly #key: string;

  private constructor(sink: WebhookSink, key: string) {
    super(sink);
    this.#key = key;
  }

  static async start(key: string): Promise<PagerDutySink> {
    return new PagerDutySink(await WebhookSink.start(), key);
  }

  protected override answer(response: ServerResponse, request: Received): void {
    const [code, answer] = this.#take(request);
    response.writeHead(code).end(JSON.stringify(answer));
  }

  #take({ method, path, body }: Received): [code: number, answer: object] {
    if (method !== "POST" || path !== "/v2/enqueue") return [404, {}];
    if (body.length > MAX_BYTES) return [413, {}];
    const event = eventSchema.safeParse(JSON.parse(body.toString()));
    if (!event.success) return [400, { errors: event.error.issues.map(({ message }) => message) }];
    if (event.data.routing_key !== this.#key) return [400, { errors: ["Invalid routing key"] }];
    this.events.push(event.data);
    return [202, { status: "success", dedup_key: event.data.dedup_key }];
  }
}
