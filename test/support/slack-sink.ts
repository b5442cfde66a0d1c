import type { ServerResponse } from "node:http";
import { z } from "zod";
import { ContractSink } from "./contract-sink.ts";
import { WebhookSink, type Received } from "./webhook-sink.ts";

const text = z.strictObject({
  type: z.literal("mrkdwn"),
  text: z.string().min(1).max(3000),
  verbatim: z.boolean().optional(),
});
const block = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("section"), text }),
  z.strictObject({ type: z.literal("context"), elements: z.array(text).min(1).max(10) }),
]);
const message = {
  text: z.string().min(1).max(40_000),
  blocks: z.array(block).min(1).max(50).optional(),
  unfurl_links: z.boolean().optional(),
};
const postSchema = z.strictObject({
  ...message,
  channel: z.string(),
  thread_ts: z.string().optional(),
  reply_broadcast: z.boolean().optional(),
});
const updateSchema = z.strictObject({ ...message, channel: z.string(), ts: z.string() });
const webhookSchema = z.strictObject(message);

interface Post {
  readonly ts: string;
  readonly thread: string;
  readonly isBroadcast: boolean;
  text: string;
  edits: number;
}

/** Stands in for the Web API of Slack and its incoming webhooks, as far as their documentation says. */
export class SlackSink extends ContractSink {
  static readonly CHANNEL = "C0123456789";
  readonly posts: Post[] = [];
  readonly #token: string;

  private constructor(sink: WebhookSink, token: string) {
    super(sink);
    this.#token = token;
  }

  static async start(token: string): Promise<SlackSink> {
    return new SlackSink(await WebhookSink.start(), token);
  }

  protected override answer(response: ServerResponse, request: Received): void {
    if (request.path.startsWith("/services/")) {
      const [code, answer] = this.#takeByWebhook(request);
      response.writeHead(code).end(answer);
    } else {
      response.writeHead(200).end(JSON.stringify(this.#take(request)));
    }
  }

  #takeByWebhook({ body, path }: Received): [number, string] {
    if (path !== "/services/T0/B0/secret-of-the-hook") return [404, "no_service"];
    const given = webhookSchema.safeParse(JSON.parse(body.toString()));
    if (!given.success) return [400, "invalid_blocks"];
    this.#add(given.data);
    return [200, "ok"];
  }

  #take({ path, headers, body }: Received): object {
    if (headers.authorization !== `Bearer ${this.#token}`) return { ok: false, error: "invalid_auth" };
    if (!/^application\/json; charset=utf-8$/.test(headers["content-type"] ?? ""))
      return { ok: false, error: "invalid_form_data" };
    const json: unknown = JSON.parse(body.toString());
    return path === "/api/chat.update" ? this.#update(json) : this.#post(json);
  }

  #post(json: unknown): object {
    const given = postSchema.safeParse(json);
    if (!given.success) return { ok: false, error: "invalid_blocks" };
    if (!["#oncall", SlackSink.CHANNEL].includes(given.data.channel))
      return { ok: false, error: "channel_not_found" };
    const { ts } = this.#add(given.data);
    return { ok: true, channel: SlackSink.CHANNEL, ts, message: given.data };
  }

  #update(json: unknown): object {
    const given = updateSchema.safeParse(json);
    if (!given.success) return { ok: false, error: "invalid_blocks" };
    // It takes the id of a channel, and no name.
    if (given.data.channel !== SlackSink.CHANNEL) return { ok: false, error: "channel_not_found" };
    const post = this.posts.find(({ ts }) => ts === given.data.ts);
    if (post === undefined) return { ok: false, error: "message_not_found" };
    post.text = JSON.stringify(given.data);
    post.edits += 1;
    return { ok: true, channel: SlackSink.CHANNEL, ts: post.ts };
  }

  #add(
    given: z.infer<typeof webhookSchema> & {
      thread_ts?: string | undefined;
      reply_broadcast?: boolean | undefined;
    },
  ): Post {
    const ts = `1795921960.${String(this.posts.length).padStart(6, "0")}`;
    const post = {
      ts,
      thread: given.thread_ts ?? ts,
      isBroadcast: given.reply_broadcast ?? false,
      text: JSON.stringify(given),
      edits: 0,
    };
    this.posts.push(post);
    return post;
  }
}
