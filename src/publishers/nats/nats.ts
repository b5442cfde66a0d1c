import type { JetStreamClient } from "@nats-io/jetstream";
import type { ConnectionOptions, NatsConnection } from "@nats-io/transport-node";
import type { NatsSettings } from "../../schemas/destinations/nats.ts";
import { abortable } from "../../shared/abortable.ts";
import type { Destination, Outgoing, SendResult } from "../delivery/destination.ts";
import type { DestinationDeps } from "../destination-deps.ts";
import { exchangeOf } from "../exchange.ts";
import { resultOf, type Failure } from "../partly.ts";
import { readTls } from "../tls-options.ts";
import { authenticators } from "./credentials.ts";
import { failureOf } from "./failures.ts";
import { natsLibrary, type NatsLibrary } from "./library.ts";
import { subjectOf } from "./subject.ts";

const CONNECT_MS = 5000;
const CONTENT_TYPE = "application/cloudevents+json; charset=utf-8";

/** Connects at the first `send`. @throws where the library is not installed, or a secret cannot be read */
export async function openNats(settings: NatsSettings, deps: DestinationDeps): Promise<Destination> {
  const nats = await natsLibrary();
  const { servers, credentials, tls } = settings;
  const options: ConnectionOptions = {
    servers: [...servers],
    name: `nomad-changefeed ${deps.name}`,
    // When to try again is the engine's to say.
    reconnect: false,
    timeout: CONNECT_MS,
    ...(credentials !== undefined && { authenticator: await authenticators(credentials, deps, nats) }),
    ...(tls !== undefined && { tls: await readTls(tls) }),
  };
  return new NatsDestination(settings, options, nats);
}

/** Publishes events to JetStream, which acknowledges each. Within a stream's duplicate window a repeat is taken for what it is. */
class NatsDestination implements Destination {
  readonly target: string;
  readonly #settings: NatsSettings;
  readonly #options: ConnectionOptions;
  readonly #nats: NatsLibrary;
  #connecting: Promise<NatsConnection> | undefined;

  constructor(settings: NatsSettings, options: ConnectionOptions, nats: NatsLibrary) {
    this.target = `${settings.servers.join(",")} ${settings.subject}`;
    this.#settings = settings;
    this.#options = options;
    this.#nats = nats;
  }

  async send(batch: readonly Outgoing[], signal: AbortSignal): Promise<SendResult> {
    signal.throwIfAborted();
    try {
      return await abortable(this.#publishAll(batch), signal);
    } catch (error) {
      if (!signal.aborted) return failureOf(error, this.#settings.subject);
      // A server that says nothing is not waited for by those who come next.
      this.#hangUp();
      throw signal.reason;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#hangUp();
  }

  /** Of those whose order counts, one is published after the other, up to the first that is not taken. */
  async #publishAll(batch: readonly Outgoing[]): Promise<SendResult> {
    const client = this.#nats.jetstream(await this.#connection());
    const answer: string[] = [];
    const notSent: Failure = { outcome: "retry", reason: "not sent: one before it was not taken" };
    const outcomes: (Failure | undefined)[] = batch.map(() => notSent);
    const { ordering } = this.#settings;
    const chains = Map.groupBy(batch.entries(), ([, { subject }]) => (ordering === "strict" ? "" : subject));
    const publishChain = async (chain: readonly [number, Outgoing][]): Promise<void> => {
      for (const [position, event] of chain) {
        const { failure, said } = await this.#publish(client, event);
        outcomes[position] = failure;
        answer.push(said);
        if (failure !== undefined) return;
      }
    };
    await Promise.all([...chains.values()].map(publishChain));
    const request = batch.map((event) => `PUB ${this.#subjectOf(event)} Nats-Msg-Id: ${messageId(event.id)}`);
    return { ...resultOf(outcomes), exchange: exchangeOf(batch, { request, answer }) };
  }

  #subjectOf(event: Outgoing): string {
    return subjectOf(this.#settings.subject, event);
  }

  async #publish(client: JetStreamClient, event: Outgoing): Promise<{ failure?: Failure; said: string }> {
    const { stream, timeout } = this.#settings;
    const subject = this.#subjectOf(event);
    const headers = this.#nats.headers();
    headers.set("Content-Type", CONTENT_TYPE);
    const expect = stream === undefined ? {} : { streamName: stream };
    try {
      const msgID = messageId(event.id);
      const ack = await client.publish(subject, event.json, { msgID, headers, expect, timeout });
      return { said: `${ack.stream} ${ack.seq}${ack.duplicate ? ", which was there" : ""}` };
    } catch (error) {
      const failure = failureOf(error, subject);
      return { failure, said: failure.reason };
    }
  }

  async #connection(): Promise<NatsConnection> {
    const connecting = (this.#connecting ??= this.#nats.connect({ ...this.#options }));
    try {
      const connection = await connecting;
      void connection.closed().then(() => this.#forget(connecting));
      return connection;
    } catch (error) {
      this.#forget(connecting);
      throw error;
    }
  }

  #forget(connecting: Promise<NatsConnection>): void {
    if (this.#connecting === connecting) this.#connecting = undefined;
  }

  #hangUp(): void {
    const connecting = this.#connecting;
    this.#connecting = undefined;
    connecting?.then((connection) => connection.close()).catch(() => undefined);
  }
}

/** A header's value has no line breaks and no blanks at its ends: what is not plain in an id is escaped as in a URL. */
function messageId(id: string): string {
  return id.toWellFormed().replaceAll(/[^!-~]|%/gu, encodeURIComponent);
}
