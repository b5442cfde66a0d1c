import type { OtlpSettings } from "../../schemas/destinations/otlp.ts";
import type { Destination, Exchange, Outgoing, SendResult } from "../delivery/destination.ts";
import type { DestinationDeps } from "../destination-deps.ts";
import { HiddenTexts } from "../hidden.ts";
import { failureOf, type Answer } from "../http-client/answer.ts";
import { otlpLibrary, serializersOf, type LogsSerializer } from "./library.ts";
import { LogRecords } from "./records.ts";
import { OtlpRequests } from "./requests.ts";
import { resultOf } from "./result.ts";
import { wordsOf } from "./words.ts";

const SHOWN_LENGTH = 1024;

/** @throws where the library is not installed, or what is wrong with a secret or a TLS file */
export async function openOtlp(settings: OtlpSettings, deps: DestinationDeps): Promise<Destination> {
  const library = await otlpLibrary("A destination of type otlp");
  return new OtlpDestination(settings, deps, serializersOf(library, settings.encoding).logs);
}

/** Sends events as log records of OpenTelemetry, a request for each batch. */
class OtlpDestination implements Destination {
  readonly target: string;
  readonly #requests: OtlpRequests;
  readonly #serializer: LogsSerializer;
  readonly #records: LogRecords;
  readonly #hidden: HiddenTexts;
  readonly #deps: DestinationDeps;

  constructor(settings: OtlpSettings, deps: DestinationDeps, serializer: LogsSerializer) {
    this.#deps = deps;
    this.#requests = new OtlpRequests(settings, deps);
    this.target = this.#requests.origin;
    this.#serializer = serializer;
    this.#records = new LogRecords(deps.source);
    this.#hidden = new HiddenTexts(this.#requests.secrets);
  }

  async send(batch: readonly Outgoing[], signal: AbortSignal): Promise<SendResult> {
    signal.throwIfAborted();
    const shown = this.#requestShown(batch);
    try {
      const answer = await this.#requests.post(this.#bodyOf(batch), signal);
      const exchange = { ...shown, ...this.#answerShown(answer) };
      return { ...this.#told(resultOf(answer, this.#serializer)), exchange };
    } catch (error) {
      signal.throwIfAborted();
      return { ...failureOf(error), exchange: shown };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#requests[Symbol.asyncDispose]();
  }

  #bodyOf(batch: readonly Outgoing[]): Uint8Array {
    const records = batch.map((event) => this.#records.of(event));
    return this.#serializer.serializeRequest(records) ?? new Uint8Array();
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
    const headers = Object.entries(this.#requests.headers).map(([name, value]) => `${name}: ${value}`);
    const events = batch.map(({ json }) => json);
    const text = [`POST ${this.target}`, ...headers, "", ...events].join("\n");
    return { request: this.#hidden.show(text.slice(0, 2 * SHOWN_LENGTH), SHOWN_LENGTH, true), answer: null };
  }

  #answerShown(answer: Answer): Pick<Exchange, "answer" | "status"> {
    const { isCut, status } = answer;
    return { answer: this.#hidden.show(wordsOf(answer), SHOWN_LENGTH, isCut), status };
  }
}
