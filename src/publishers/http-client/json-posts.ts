import type { Exchange, SendResult } from "../delivery/destination.ts";
import type { DestinationDeps } from "../destination-deps.ts";
import { HiddenTexts } from "../hidden.ts";
import { failureOf, type Answer } from "./answer.ts";
import type { ConnectorOptions } from "./connector.ts";
import { HttpClient } from "./http-client.ts";

const SHOWN_LENGTH = 1024;
/** Some answer with what they were sent, and what matters beside it. */
const KEPT_BYTES = 64 * 1024;

interface Posting {
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON. */
  readonly body: string;
}

/** What came of a request: an answer, whatever it says, or what its absence means. */
export type Posted =
  | { readonly answer: Answer; readonly exchange: Exchange }
  | { readonly failure: SendResult };

/** Posts JSON, and says what went over the wire without secrets. */
export class JsonPosts implements AsyncDisposable {
  readonly #client: HttpClient;
  readonly #hidden: HiddenTexts;

  /** @throws what is wrong with a TLS file */
  constructor(
    connection: ConnectorOptions,
    secrets: readonly string[],
    deps: Pick<DestinationDeps, "clock" | "logger">,
  ) {
    this.#hidden = new HiddenTexts(secrets);
    this.#client = new HttpClient(connection, deps);
  }

  /** Rejects where `signal` aborts, and only there. */
  async post(posting: Posting, signal: AbortSignal): Promise<Posted> {
    signal.throwIfAborted();
    const exchange = this.#requestShown(posting);
    try {
      const answer = await this.#ask(posting, signal);
      return { answer, exchange: { ...exchange, ...this.#answerShown(answer) } };
    } catch (error) {
      signal.throwIfAborted();
      return { failure: { ...failureOf(error), exchange } };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
  }

  #ask({ url, headers, body }: Posting, signal: AbortSignal): Promise<Answer> {
    const all = { "content-type": "application/json; charset=utf-8", ...headers };
    return this.#client.ask({ url, method: "POST", headers: all, body, keptBytes: KEPT_BYTES }, signal);
  }

  /** No header: what they hold may be secret, as a path may. */
  #requestShown({ url, body }: Posting): Exchange {
    const text = `POST ${url.origin}\n\n${body.slice(0, 2 * SHOWN_LENGTH)}`;
    return {
      request: this.#hidden.show(text, SHOWN_LENGTH, body.length > 2 * SHOWN_LENGTH),
      answer: null,
    };
  }

  #answerShown({ text, isCut, status }: Answer): Pick<Exchange, "answer" | "status"> {
    return { answer: this.#hidden.show(text, SHOWN_LENGTH, isCut), status };
  }
}
