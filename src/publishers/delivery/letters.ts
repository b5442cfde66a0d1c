import type { DeadLetter, DeadLetterStore } from "../../feed/log.ts";
import { formatCursor, type Cursor } from "../../schemas/cursor.ts";
import type { ParkedEvent } from "../../schemas/delivery-schema.ts";
import type { Outgoing, SendResult } from "./destination.ts";
import { outgoingOfLetter } from "./outgoing.ts";
import { consumerOf } from "./position.ts";

const AT_ONCE = 100;

/** Cursors of letters, or all there are. */
export type Letters = readonly Cursor[] | "all";

/** The dead letters of the destinations, for people. */
export class DeadLetters {
  readonly #store: DeadLetterStore;
  readonly #assertKnown: (name: string) => Promise<void>;
  readonly #send: (name: string, event: Outgoing) => Promise<SendResult>;

  constructor(
    store: DeadLetterStore,
    /** @throws NoDelivery */
    assertKnown: (name: string) => Promise<void>,
    /** Sends to the destination. @throws NoDelivery where it is not configured here */
    send: (name: string, event: Outgoing) => Promise<SendResult>,
  ) {
    this.#store = store;
    this.#assertKnown = assertKnown;
    this.#send = send;
  }

  /** Those after the letter of `after`, oldest first. @throws NoDelivery */
  async list(name: string, options: { limit: number; after?: Cursor }): Promise<ParkedEvent[]> {
    await this.#assertKnown(name);
    return (await this.#store.list(consumerOf(name), options)).map(shown);
  }

  /**
   * Sends them once more, each by itself and outside of the order; what is taken is no dead letter any more. Ends early
   * where the destination is not there. Answers how many were taken. @throws NoDelivery
   */
  async retry(name: string, letters: Letters): Promise<number> {
    await this.#assertKnown(name);
    let taken = 0;
    for await (const letter of this.#chosen(name, letters)) {
      const result = await this.#send(name, outgoingOfLetter(letter));
      if (result.outcome === "ok") taken += await this.#store.remove(consumerOf(name), [letter.cursor]);
      else if (!isAboutTheEvent(result)) break;
    }
    return taken;
  }

  /** Answers how many of them were there. @throws NoDelivery */
  async drop(name: string, letters: Letters): Promise<number> {
    await this.#assertKnown(name);
    if (letters !== "all") return this.#store.remove(consumerOf(name), letters);
    let dropped = 0;
    for await (const letter of this.#chosen(name, "all"))
      dropped += await this.#store.remove(consumerOf(name), [letter.cursor]);
    return dropped;
  }

  async *#chosen(name: string, letters: Letters): AsyncGenerator<DeadLetter> {
    const wanted = letters === "all" ? undefined : new Set(letters.map(formatCursor));
    let after: { after?: Cursor } = {};
    for (;;) {
      const page = await this.#store.list(consumerOf(name), { limit: AT_ONCE, ...after });
      const last = page.at(-1);
      if (last === undefined) return;
      yield* page.filter((letter) => wanted?.has(formatCursor(letter.cursor)) ?? true);
      after = { after: last.cursor };
    }
  }
}

function isAboutTheEvent(result: SendResult): boolean {
  return result.outcome === "refused" && ["poison", "too-large", "too-old"].includes(result.why);
}

function shown({ cursor, id, reason, attempts, parkedAt, json }: DeadLetter): ParkedEvent {
  return { cursor: formatCursor(cursor), id, reason, attempts, parkedAt, event: json };
}
