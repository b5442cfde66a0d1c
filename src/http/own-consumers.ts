import type { IncomingMessage } from "node:http";
import { ConsumerTaken } from "../feed/errors.ts";
import type { Consumer, ConsumerActor, ConsumerStore, FeedLog, PutOptions } from "../feed/log.ts";
import type { Cursor } from "../schemas/cursor.ts";
import type { Principals } from "./access/principals.ts";

/** How many names there may be before a new one is refused. Absent: no limit of that kind. */
export interface ConsumerLimits {
  readonly perToken?: number;
  readonly total?: number;
}

export interface OwnConsumersDeps {
  readonly log: FeedLog;
  readonly principals: Pick<Principals, "actorOf">;
  readonly consumerLimits: ConsumerLimits;
}

/** The consumers as the request may use them. @throws Unauthorized, Forbidden, AuthUnavailable */
export async function ownConsumers(deps: OwnConsumersDeps, request: IncomingMessage): Promise<OwnConsumers> {
  return new OwnConsumers(deps.log.consumers, await deps.principals.actorOf(request), deps.consumerLimits);
}

/** The consumers as one token may use them: its own, those that nobody owns yet, and all of them where it manages. */
export class OwnConsumers {
  readonly #store: ConsumerStore;
  readonly #by: ConsumerActor;
  readonly #limits: NonNullable<PutOptions["limits"]>;

  constructor(store: ConsumerStore, by: ConsumerActor, limits: ConsumerLimits) {
    this.#store = store;
    this.#by = by;
    this.#limits = { ofOwner: limits.perToken, total: limits.total };
  }

  /** @throws ConsumerTaken */
  async get(name: string): Promise<Consumer | undefined> {
    const consumer = await this.#store.get(name);
    if (consumer === undefined || this.#by.manages || consumer.owner === null) return consumer;
    if (consumer.owner !== this.#by.owner) throw new ConsumerTaken(name);
    return consumer;
  }

  async list(): Promise<Consumer[]> {
    const { owner, manages } = this.#by;
    const consumers = await this.#store.list();
    return manages ? consumers : consumers.filter((consumer) => consumer.owner === owner);
  }

  /** @throws ConsumerTaken, ConsumersFull */
  put(name: string, cursor: Cursor): Promise<Consumer> {
    return this.#store.put(name, cursor, { by: this.#by, limits: this.#limits });
  }

  /** Whoever is the first to use a name that nobody owns has it from then on. @throws as put */
  async take(consumer: Consumer): Promise<void> {
    if (consumer.owner !== null || this.#by.manages) return;
    await this.put(consumer.name, consumer.cursor);
  }

  /** @throws ConsumerTaken */
  remove(name: string): Promise<boolean> {
    return this.#store.remove(name, this.#by);
  }
}
