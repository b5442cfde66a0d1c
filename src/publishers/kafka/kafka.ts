import { isIP } from "node:net";
import type { Producer, ProducerOptions } from "@platformatic/kafka";
import type { KafkaSettings } from "../../schemas/destinations/kafka.ts";
import { abortable } from "../../shared/abortable.ts";
import { Turns } from "../../shared/turns.ts";
import type { Destination, Exchange, Outgoing, SendResult } from "../delivery/destination.ts";
import type { DestinationDeps } from "../destination-deps.ts";
import { exchangeOf } from "../exchange.ts";
import { isOfTheEvent, resultOf, type Failure } from "../partly.ts";
import { readTls } from "../tls-options.ts";
import { failureOf, outcomeByPartition } from "./failures.ts";
import { kafkaLibrary, type KafkaLibrary } from "./library.ts";
import { recordOf, type KafkaRecord } from "./record.ts";

const CONNECT_MS = 5000;
/** The client wants to repeat, and to do so by itself where a partition has another leader now; the engine does the rest. */
const REPEATS = { retries: 2, retryDelay: 250 };

type TextProducer = Producer<string, string, string, string>;
type TextOptions = ProducerOptions<string, string, string, string>;

/** Connects at the first `send`. @throws where the library is not installed, or a secret or file cannot be read */
export async function openKafka(settings: KafkaSettings, deps: DestinationDeps): Promise<Destination> {
  const kafka = await kafkaLibrary();
  const { brokers, clientId, acks, sasl, tls, timeout } = settings;
  const options: TextOptions = {
    ...REPEATS,
    clientId,
    bootstrapBrokers: [...brokers],
    acks: acks === "all" ? kafka.ProduceAcks.ALL : kafka.ProduceAcks.LEADER,
    idempotent: acks === "all",
    // One request at a time on a connection: what is sent again cannot come behind what was sent after it.
    maxInflights: 1,
    autocreateTopics: false,
    connectTimeout: CONNECT_MS,
    timeout,
    serializers: kafka.stringSerializers,
    ...(tls !== undefined && { tls: await readTls(tls), tlsServerName: serverNameOf(tls, brokers) }),
    ...(sasl !== undefined && { sasl: signInAs(sasl, deps) }),
  };
  return new KafkaDestination(settings, options, kafka);
}

/** What a broker is asked to be in TLS: by default the host that it is reached at, which only a name can be. */
function serverNameOf(
  { serverName }: NonNullable<KafkaSettings["tls"]>,
  brokers: KafkaSettings["brokers"],
): string | boolean {
  return serverName ?? brokers.every((broker) => isIP(broker.replaceAll(/^\[|\]?:\d+$/g, "")) === 0);
}

/** Read for each connection, so that a password may change; once at the start, so that one that is not there is noticed. */
function signInAs(
  { mechanism, username, password }: NonNullable<KafkaSettings["sasl"]>,
  deps: DestinationDeps,
) {
  const [readName, readPassword] = [() => deps.readSecret(username), () => deps.readSecret(password)];
  readName();
  readPassword();
  return { mechanism, username: readName, password: readPassword };
}

interface Message extends KafkaRecord {
  readonly topic: string;
  readonly partition: number;
}

interface Written {
  /** Of each event of the batch. */
  readonly outcomes: (Failure | undefined)[];
  readonly exchange: Exchange;
}

/** Writes events to a topic, one request after the other. */
class KafkaDestination implements Destination {
  readonly target: string;
  readonly #topic: string;
  readonly #options: TextOptions;
  readonly #kafka: KafkaLibrary;
  readonly #turns = new Turns();
  #producer: TextProducer | undefined;

  constructor({ brokers, topic }: KafkaSettings, options: TextOptions, kafka: KafkaLibrary) {
    this.target = `${brokers.join(",")} ${topic}`;
    this.#topic = topic;
    this.#options = options;
    this.#kafka = kafka;
  }

  async send(batch: readonly Outgoing[], signal: AbortSignal): Promise<SendResult> {
    signal.throwIfAborted();
    return abortable(
      this.#turns.take(() => this.#inTurn(batch, signal)),
      signal,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#hangUp();
  }

  async #inTurn(batch: readonly Outgoing[], signal: AbortSignal): Promise<SendResult> {
    signal.throwIfAborted();
    try {
      return await abortable(this.#writeAll(batch, signal), signal);
    } catch (error) {
      if (!signal.aborted) throw error;
      // A broker that says nothing is not waited for by those who come next.
      void this.#hangUp();
      throw signal.reason;
    }
  }

  /** A partition takes or refuses its events as a whole: where it refuses several, it is asked for each. */
  async #writeAll(batch: readonly Outgoing[], signal: AbortSignal): Promise<SendResult> {
    const { outcomes, exchange } = await this.#write(batch);
    for (const [position, event] of batch.entries()) {
      const failure = outcomes[position];
      if (batch.length === 1 || failure === undefined || !isOfTheEvent(failure)) continue;
      signal.throwIfAborted();
      const [alone] = (await this.#write([event])).outcomes;
      outcomes[position] = alone;
      // Those behind it stay behind it.
      if (alone !== undefined && !isOfTheEvent(alone)) {
        return { ...resultOf(outcomes.map((outcome) => outcome && alone)), exchange };
      }
    }
    return { ...resultOf(outcomes), exchange };
  }

  async #write(batch: readonly Outgoing[]): Promise<Written> {
    const producer = (this.#producer ??= new this.#kafka.Producer(this.#options));
    try {
      const count = await this.#partitionCount(producer);
      const messages = batch.map((event) => this.#messageOf(event, count));
      const request = messages.map(({ topic, partition, key }) => `${topic}[${partition}] ${key}`);
      const { outcomes, answer } = await this.#produce(producer, messages);
      return { outcomes, exchange: exchangeOf(batch, { request, answer }) };
    } catch (error) {
      const failure = failureOf(error);
      return {
        outcomes: batch.map(() => failure),
        exchange: exchangeOf(batch, { request: [], answer: [failure.reason] }),
      };
    }
  }

  async #produce(producer: TextProducer, messages: Message[]) {
    try {
      const { offsets = [] } = await producer.send({ messages });
      const answer = offsets.map(
        ({ topic, partition, offset }) => `${topic}[${partition}] from offset ${offset}`,
      );
      return { outcomes: messages.map(() => undefined), answer };
    } catch (error) {
      const outcomeOf = outcomeByPartition(error, this.#kafka);
      const outcomes = messages.map(({ partition }) => outcomeOf(partition));
      return { outcomes, answer: outcomes.map((failure) => failure?.reason ?? "written") };
    }
  }

  async #partitionCount(producer: TextProducer): Promise<number> {
    const { topics } = await producer.metadata({ topics: [this.#topic] });
    return topics.get(this.#topic)?.partitionsCount ?? 1;
  }

  /** In the partition in which Java's clients put the same key. */
  #messageOf(event: Outgoing, partitions: number): Message {
    const { key, value, headers } = recordOf(event);
    const message = { topic: this.#topic, key, value, headers };
    const partition = this.#kafka.compatibilityPartitioner(message, Buffer.from(key)) % partitions;
    return { ...message, partition };
  }

  async #hangUp(): Promise<void> {
    const producer = this.#producer;
    this.#producer = undefined;
    await producer?.close(true).catch(() => undefined);
  }
}
