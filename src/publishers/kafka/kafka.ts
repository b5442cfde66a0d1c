import type { Producer, ProducerOptions } from "@platformatic/kafka";
import type { KafkaSettings } from "../../schemas/destinations/kafka.ts";
import { abortable } from "../../shared/abortable.ts";
import { Turns } from "../../shared/turns.ts";
import type { Destination, Outgoing, SendResult } from "../delivery/destination.ts";
import type { DestinationDeps } from "../destination-deps.ts";
import { isOfTheEvent, resultOf, type Failure } from "../partly.ts";
import { readTls } from "../tls-options.ts";
import { failureOf, outcomeByPartition } from "./failures.ts";
import { kafkaLibrary, type KafkaLibrary } from "./library.ts";
import { recordOf } from "./record.ts";

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
    ...(tls !== undefined && { tls: await readTls(tls) }),
    ...(sasl !== undefined && { sasl: signInAs(sasl, deps) }),
  };
  return new KafkaDestination(settings, options, kafka);
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
    try {
      return resultOf(await abortable(this.#writeAll(batch), signal));
    } catch (error) {
      if (!signal.aborted) throw error;
      // A broker that says nothing is not waited for by those who come next.
      void this.#hangUp();
      throw signal.reason;
    }
  }

  /** What each event came to. A partition takes or refuses its events as a whole: of several it is asked for each. */
  async #writeAll(batch: readonly Outgoing[]): Promise<(Failure | undefined)[]> {
    const outcomes = await this.#write(batch);
    if (batch.length === 1) return outcomes;
    for (const [position, event] of batch.entries()) {
      const failure = outcomes[position];
      if (failure === undefined || !isOfTheEvent(failure)) continue;
      const [alone] = await this.#write([event]);
      outcomes[position] = alone;
      // Those behind it stay behind it.
      if (alone !== undefined && !isOfTheEvent(alone)) return outcomes.map((outcome) => outcome && alone);
    }
    return outcomes;
  }

  async #write(batch: readonly Outgoing[]): Promise<(Failure | undefined)[]> {
    const producer = (this.#producer ??= new this.#kafka.Producer(this.#options));
    try {
      const count = await this.#partitionCount(producer);
      const messages = batch.map((event) => this.#messageOf(event, count));
      const failed = await producer.send({ messages }).then(
        () => undefined,
        (error: unknown) => outcomeByPartition(error, this.#kafka),
      );
      return messages.map(({ partition }) => failed?.(partition));
    } catch (error) {
      const failure = failureOf(error);
      return batch.map(() => failure);
    }
  }

  async #partitionCount(producer: TextProducer): Promise<number> {
    const { topics } = await producer.metadata({ topics: [this.#topic] });
    return topics.get(this.#topic)?.partitionsCount ?? 1;
  }

  /** In the partition in which Java's clients put the same key. */
  #messageOf(event: Outgoing, partitions: number) {
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
