import type { ServerResponse } from "node:http";
import { status, WebhookSink, type Received } from "./webhook-sink.ts";

/** A sink that keeps to the published contract of a service, on loopback. */
export abstract class ContractSink implements AsyncDisposable {
  readonly #sink: WebhookSink;
  readonly #held: (() => void)[] = [];

  protected constructor(sink: WebhookSink) {
    this.#sink = sink;
    this.#answerAgain();
  }

  protected abstract answer(response: ServerResponse, request: Received): void;

  get url(): string {
    return this.#sink.url;
  }

  /** Connections that are open. */
  open(): number {
    return this.#sink.open();
  }

  /** Answers so from then on, with what it was sent unless `text` is given, as some do. */
  refuse(code: number, text?: string, headers?: Record<string, string>): () => void {
    return () => {
      this.#sink.answer = (response, request) =>
        status(code, headers, text ?? request.body.toString())(response, request);
    };
  }

  hang(): void {
    this.#sink.answer = (response) => void this.#held.push(() => response.writeHead(500).end());
  }

  leave(): Promise<void> {
    return this.#sink.leave();
  }

  async comeBack(): Promise<void> {
    this.#answerAgain();
    for (const answer of this.#held.splice(0)) answer();
    await this.#sink.comeBack();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sink[Symbol.asyncDispose]();
  }

  #answerAgain(): void {
    this.#sink.answer = (response, request) => this.answer(response, request);
  }
}
