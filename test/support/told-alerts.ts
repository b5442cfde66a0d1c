import { z } from "zod";
import { alertSchema, type AlertJson } from "../../src/schemas/alert-schema.ts";
import { WebhookSink } from "./webhook-sink.ts";

const messageSchema = z.object({ firing: z.array(alertSchema), resolved: z.array(alertSchema) });

/** An alert that ended and begins anew is another one. */
export const instanceOf = ({ id, startsAt }: Pick<AlertJson, "id" | "startsAt">): string =>
  `${id} since ${startsAt}`;

/** A receiver of `alert-webhook`, and what somebody who reads it believes. */
export class ToldAlerts implements AsyncDisposable {
  readonly #sink: WebhookSink;
  #read = 0;
  /** What was said to fire, and has not been said to have ended. */
  readonly #open = new Set<string>();
  readonly #ended = new Set<string>();
  /** What was said to fire after its end. */
  readonly relapsed: string[] = [];

  private constructor(sink: WebhookSink) {
    this.#sink = sink;
  }

  static async listen(): Promise<ToldAlerts> {
    return new ToldAlerts(await WebhookSink.start());
  }

  get url(): string {
    return this.#sink.url;
  }

  get messages(): number {
    return this.#sink.taken.length;
  }

  /** What fires, for who reads all that came. */
  open(): string[] {
    for (const { body } of this.#sink.taken.slice(this.#read)) this.#take(body);
    this.#read = this.#sink.taken.length;
    return [...this.#open].toSorted();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#sink[Symbol.asyncDispose]();
  }

  #take(body: Buffer): void {
    const { firing, resolved } = messageSchema.parse(JSON.parse(body.toString()));
    for (const instance of firing.map(instanceOf)) {
      this.#open.add(instance);
      if (this.#ended.has(instance)) this.relapsed.push(instance);
    }
    for (const instance of resolved.map(instanceOf)) {
      this.#open.delete(instance);
      this.#ended.add(instance);
    }
  }
}
