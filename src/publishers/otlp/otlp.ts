import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { OtlpSettings } from "../../schemas/destinations/otlp.ts";
import type { Destination, Exchange, Outgoing, SendResult } from "../delivery/destination.ts";
import type { DestinationDeps } from "../destination-deps.ts";
import { HiddenTexts } from "../hidden.ts";
import { failureOf, type Answer } from "../http-client/answer.ts";
import { Endpoint } from "../http-client/endpoint.ts";
import { HttpClient } from "../http-client/http-client.ts";
import { logsSerializer, type LogsSerializer } from "./library.ts";
import { LogRecords } from "./records.ts";
import { resultOf } from "./result.ts";
import { wordsOf } from "./words.ts";

const SHOWN_LENGTH = 1024;
const CONTENT_TYPES = { protobuf: "application/x-protobuf", json: "application/json" } as const;
const zipped = promisify(gzip);

/** @throws where the library is not installed, or what is wrong with a secret or a TLS file */
export async function openOtlp(settings: OtlpSettings, deps: DestinationDeps): Promise<Destination> {
  return new OtlpDestination(settings, deps, await logsSerializer(settings.encoding));
}

/** Sends events as log records of OpenTelemetry, a request for each batch. */
class OtlpDestination implements Destination {
  readonly target: string;
  readonly #endpoint: Endpoint;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #isZipped: boolean;
  readonly #serializer: LogsSerializer;
  readonly #records: LogRecords;
  readonly #hidden: HiddenTexts;
  readonly #client: HttpClient;
  readonly #deps: DestinationDeps;

  constructor(settings: OtlpSettings, deps: DestinationDeps, serializer: LogsSerializer) {
    const { endpoint: url, headers, encoding, compression, tls, allowPrivate } = settings;
    this.#deps = deps;
    this.#endpoint = new Endpoint({ url, headers }, deps.readSecret);
    this.target = this.#endpoint.origin;
    this.#isZipped = compression === "gzip";
    this.#headers = {
      "content-type": CONTENT_TYPES[encoding],
      ...(this.#isZipped && { "content-encoding": "gzip" }),
    };
    this.#serializer = serializer;
    this.#records = new LogRecords(deps.source);
    this.#hidden = new HiddenTexts(this.#endpoint.secrets);
    this.#client = new HttpClient({ ...tls, allowPrivate }, deps);
  }

  async send(batch: readonly Outgoing[], signal: AbortSignal): Promise<SendResult> {
    signal.throwIfAborted();
    const shown = this.#requestShown(batch);
    try {
      const answer = await this.#post(await this.#bodyOf(batch), signal);
      const exchange = { ...shown, ...this.#answerShown(answer) };
      return { ...this.#told(resultOf(answer, this.#serializer)), exchange };
    } catch (error) {
      signal.throwIfAborted();
      return { ...failureOf(error), exchange: shown };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
  }

  async #bodyOf(batch: readonly Outgoing[]): Promise<Uint8Array> {
    const records = batch.map((event) => this.#records.of(event));
    const body = this.#serializer.serializeRequest(records) ?? new Uint8Array();
    return this.#isZipped ? zipped(body) : body;
  }

  #post(body: Uint8Array, signal: AbortSignal): Promise<Answer> {
    const { url, headers } = this.#endpoint;
    return this.#client.ask({ url, method: "POST", headers: { ...headers, ...this.#headers }, body }, signal);
  }

  /** What the reason repeats of an answer may hold what we sent. Of what is passed over nobody else tells. */
  #told(result: SendResult): SendResult {
    if (result.outcome === "ok") return result;
    const reason = this.#hidden.show(result.reason, SHOWN_LENGTH, false);
    if (result.which !== undefined)
      this.#deps.logger.warn(
        { destination: this.#deps.name, reason },
        "the store did not take all log records; going on",
      );
    return { ...result, reason };
  }

  /** The body is no text: the events themselves stand in its place. */
  #requestShown(batch: readonly Outgoing[]): Exchange {
    const headers = Object.entries(this.#headers).map(([name, value]) => `${name}: ${value}`);
    const events = batch.map(({ json }) => json);
    const text = [`POST ${this.target}`, ...headers, "", ...events].join("\n");
    return { request: this.#hidden.show(text.slice(0, 2 * SHOWN_LENGTH), SHOWN_LENGTH, true), answer: null };
  }

  #answerShown(answer: Answer): Pick<Exchange, "answer" | "status"> {
    const { isCut, status } = answer;
    return { answer: this.#hidden.show(wordsOf(answer), SHOWN_LENGTH, isCut), status };
  }
}
