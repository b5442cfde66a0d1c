import type { EventStream, EventStreamRequest } from "../../src/nomad/api.ts";
import { NomadError, type NomadErrorCode } from "../../src/nomad/errors.ts";
import type { Line } from "../../src/nomad/lines.ts";

/** Nomad's event stream as a test dictates it, frame by frame. Refuses everything until it is told not to. */
export class ScriptedStreams {
  readonly requests: EventStreamRequest[] = [];
  /** Every stream that was opened, in order. */
  readonly opened: ScriptedStream[] = [];
  #refusal: (request: EventStreamRequest) => NomadErrorCode | undefined = () => "NOMAD_NOT_FOUND";

  /** From now on: a code for the requests that are refused, undefined for the others. */
  refuse(refusal: (request: EventStreamRequest) => NomadErrorCode | undefined): void {
    this.#refusal = refusal;
  }

  allow(): void {
    this.refuse(() => undefined);
  }

  /** The stream that was opened last. */
  get last(): ScriptedStream {
    const last = this.opened.at(-1);
    if (last === undefined) throw new Error("no stream was opened");
    return last;
  }

  async open(request: EventStreamRequest): Promise<EventStream> {
    this.requests.push(request);
    const code = this.#refusal(request);
    if (code !== undefined) throw streamError(code);
    const stream = new ScriptedStream(request);
    this.opened.push(stream);
    return stream;
  }
}

/** What needs no other answer than "no" is not retryable, as from Nomad's client. */
export function streamError(code: NomadErrorCode): NomadError {
  const passing = ["NOMAD_STREAM_ENDED", "NOMAD_UNREACHABLE", "NOMAD_TIMEOUT", "NOMAD_SERVER_ERROR"];
  return new NomadError(code, `the stream: ${code}`, { retryable: passing.includes(code), hint: "none" });
}

class ScriptedStream implements EventStream {
  readonly address = "http://scripted";
  readonly request: EventStreamRequest;
  isClosed = false;
  readonly #lines: Line[] = [];
  #failure: Error | undefined;
  #wake = (): void => undefined;

  constructor(request: EventStreamRequest) {
    this.request = request;
    request.signal.addEventListener("abort", () => this.end(request.signal.reason as Error), { once: true });
  }

  send(...frames: object[]): void {
    this.sendLine(...frames.map((frame) => Buffer.from(JSON.stringify(frame))));
  }

  sendLine(...lines: Line[]): void {
    this.#lines.push(...lines);
    this.#wake();
  }

  end(failure: Error = streamError("NOMAD_STREAM_ENDED")): void {
    this.#failure ??= failure;
    this.#wake();
  }

  async *lines(): AsyncGenerator<Line> {
    for (;;) {
      for (const line of this.#lines.splice(0)) yield line;
      if (this.#failure !== undefined) throw this.#failure;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.isClosed = true;
  }
}
