import { Agent, request } from "undici";
import type { Exchange, SendResult } from "../delivery/destination.ts";
import type { DestinationDeps } from "../destination-deps.ts";
import { HiddenTexts } from "../hidden.ts";
import { failureOf, readAnswer, type Answer } from "./answer.ts";
import { connectorOf, type ConnectorOptions } from "./connector.ts";

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
  readonly #agent: Agent;
  readonly #hidden: HiddenTexts;
  readonly #deps: Pick<DestinationDeps, "clock" | "logger">;

  /** @throws what is wrong with a TLS file */
  constructor(
    connection: ConnectorOptions,
    secrets: readonly string[],
    deps: Pick<DestinationDeps, "clock" | "logger">,
  ) {
    this.#deps = deps;
    this.#hidden = new HiddenTexts(secrets);
    // The signal of the sender ends what takes too long.
    const timeouts = { headersTimeout: 0, bodyTimeout: 0 };
    this.#agent = new Agent({ connect: connectorOf(connection, deps.logger), ...timeouts });
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
    await this.#agent.destroy();
  }

  async #ask({ url, headers, body }: Posting, signal: AbortSignal): Promise<Answer> {
    const all = { "content-type": "application/json; charset=utf-8", ...headers };
    const options = { dispatcher: this.#agent, method: "POST", headers: all, body, signal } as const;
    const answer = await readAnswer(await request(url, options), this.#deps.clock, KEPT_BYTES);
    signal.throwIfAborted();
    return answer;
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
