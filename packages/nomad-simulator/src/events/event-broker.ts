import type { Commit } from "../store/state.ts";
import { EventBuffer } from "./event-buffer.ts";
import { framesOf } from "./event.ts";
import { Subscription, type SubscriptionRequest } from "./subscription.ts";

/** The events of one server: what it has applied, in its memory alone, and who reads along. */
export class EventBroker {
  readonly #size: number;
  readonly #subscriptions = new Set<Subscription>();
  #buffer: EventBuffer;

  /** `size`: frames kept, as Nomad's `event_buffer_size`. */
  constructor(size: number) {
    this.#size = size;
    this.#buffer = new EventBuffer(size);
  }

  get subscriptions(): number {
    return this.#subscriptions.size;
  }

  publish(commit: Commit): void {
    for (const frame of framesOf(commit)) this.#buffer.append(frame);
    for (const subscription of this.#subscriptions) subscription.wake();
  }

  /** Ends the subscriptions that have lost their rights with the commit. Call when it is applied. */
  recheck(commit: Commit): void {
    if (!commit.ops.some(({ table }) => table === "tokens" || table === "policies")) return;
    for (const subscription of this.#subscriptions) subscription.recheck();
  }

  /** `index` is the first frame's, itself included; 0 for the oldest there is. */
  subscribe(request: SubscriptionRequest, index: bigint): Subscription {
    const subscription = new Subscription(request, this.#buffer.before(index));
    this.#subscriptions.add(subscription);
    return subscription;
  }

  unsubscribe(subscription: Subscription): void {
    subscription.end("subscription ended");
    this.#subscriptions.delete(subscription);
  }

  /** Another server, this one after a restart, or a restored snapshot: an empty buffer and no subscription. */
  reset(): void {
    this.#buffer = new EventBuffer(this.#size);
    for (const subscription of this.#subscriptions)
      subscription.end("subscription closed by server, client should resubscribe");
    this.#subscriptions.clear();
  }
}
