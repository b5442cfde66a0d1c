import type { Dispatcher } from "undici";
import type { Clock } from "../shared/clock.ts";
import { BodyCollector } from "./body.ts";

export interface ExchangeRequest {
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** From sending the request to the headers of the answer, ms. */
  readonly headersTimeoutMs: number;
  /** From the headers to the end of the body, ms. */
  readonly bodyTimeoutMs: number;
  /** From one piece of the body to the next, ms. */
  readonly stallTimeoutMs: number;
  readonly maxBodyBytes: number;
  /** Size of the decoded body, if it is like the last one. */
  readonly likelyBytes: number;
  /** Rests while it reads the body, so that others get on. */
  readonly unhurried: boolean;
  readonly signal: AbortSignal;
}

export type Headers = Readonly<Record<string, string | string[] | undefined>>;

export interface RawResponse {
  readonly status: number;
  readonly headers: Headers;
  /** As sent, still encoded. */
  readonly body: Buffer;
  /** When the request was written, and when the answer began, as the clock's `elapsed`. */
  readonly sentAtMs: number;
  readonly answeredAtMs: number;
}

/** The part of an exchange that was going on. */
export type Phase = "connecting" | "waiting" | "reading";

/** No whole answer came. */
export class ExchangeFailed extends Error {
  readonly phase: Phase;
  /** Since the phase began, ms. */
  readonly afterMs: number;

  constructor(phase: Phase, afterMs: number, cause: unknown) {
    super("The exchange failed", { cause });
    this.phase = phase;
    this.afterMs = afterMs;
  }
}

/** Our own deadline passed. */
export class DeadlinePassed extends Error {
  readonly timeoutMs: number;

  constructor(timeoutMs: number) {
    super(`nothing within ${timeoutMs} ms`);
    this.timeoutMs = timeoutMs;
  }
}

/** What is read without hurry rests so long after so many bytes: no more than 128 MB are read in a second. */
const UNHURRIED_BYTES = 256 * 1024;
const REST_MS = 2;

/** undici's own timer is coarse, and only there in case ours were wrong. */
const SAFETY_MS = 10_000;

/**
 * One GET. The time for an answer starts when the request is written, so connecting, which has its own limit,
 * does not eat it up. Rejects with ExchangeFailed, or with the signal's reason; the dispatcher may then still
 * be at work on the request and is to be destroyed.
 */
export function exchange(
  dispatcher: Dispatcher,
  request: ExchangeRequest,
  clock: Clock,
): Promise<RawResponse> {
  return new Promise((resolve, reject) => {
    if (request.signal.aborted) {
      reject(request.signal.reason as Error);
      return;
    }
    dispatcher.dispatch(
      {
        method: "GET",
        path: request.path,
        headers: request.headers,
        headersTimeout: request.headersTimeoutMs + SAFETY_MS,
        bodyTimeout: request.stallTimeoutMs,
      },
      new Exchange(request, { clock, resolve, reject }),
    );
  });
}

class Exchange implements Dispatcher.DispatchHandler {
  readonly #request: ExchangeRequest;
  readonly #clock: Clock;
  readonly #resolve: (response: RawResponse) => void;
  readonly #reject: (reason: unknown) => void;
  #phase: Phase = "connecting";
  #phaseBeganMs: number;
  #sentAtMs = 0;
  #answeredAtMs = 0;
  #stopTimer = (): void => undefined;
  #stopRest = (): void => undefined;
  /** Read since the last rest. */
  #unrestedBytes = 0;
  #settled = false;
  #status = 0;
  #headers: Headers = {};
  #body: BodyCollector | undefined;

  constructor(
    request: ExchangeRequest,
    to: { clock: Clock; resolve: (response: RawResponse) => void; reject: (reason: unknown) => void },
  ) {
    this.#request = request;
    this.#clock = to.clock;
    this.#phaseBeganMs = to.clock.elapsed();
    this.#resolve = to.resolve;
    this.#reject = to.reject;
    request.signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  onRequestStart(): void {
    if (this.#settled) return;
    this.#enter("waiting", this.#request.headersTimeoutMs);
    this.#sentAtMs = this.#phaseBeganMs;
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: Headers): void {
    if (status < 200 || this.#settled) return;
    this.#enter("reading", this.#request.bodyTimeoutMs);
    this.#answeredAtMs = this.#phaseBeganMs;
    this.#status = status;
    this.#headers = headers;
    this.#guard(() => {
      const plain = (headers["content-encoding"] ?? "identity") === "identity";
      const { maxBodyBytes, likelyBytes } = this.#request;
      this.#body = new BodyCollector(contentLength(headers), maxBodyBytes, plain ? likelyBytes : 0);
    });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#settled) return;
    this.#guard(() => this.#body?.add(chunk));
    this.#unrestedBytes += chunk.length;
    if (this.#request.unhurried && this.#unrestedBytes >= UNHURRIED_BYTES) this.#rest(controller);
  }

  onResponseEnd(): void {
    if (this.#settled) return;
    this.#guard(() => {
      const body = this.#body?.whole() ?? Buffer.alloc(0);
      this.#settle();
      const [sentAtMs, answeredAtMs] = [this.#sentAtMs, this.#answeredAtMs];
      this.#resolve({ status: this.#status, headers: this.#headers, body, sentAtMs, answeredAtMs });
    });
  }

  onResponseError(_controller: Dispatcher.DispatchController, cause: Error): void {
    this.#fail(cause);
  }

  #rest(controller: Dispatcher.DispatchController): void {
    this.#unrestedBytes = 0;
    controller.pause();
    this.#stopRest = this.#clock.after(REST_MS, () => controller.resume());
  }

  #enter(phase: Phase, timeoutMs: number): void {
    this.#stopTimer();
    this.#phase = phase;
    this.#phaseBeganMs = this.#clock.elapsed();
    this.#stopTimer = this.#clock.after(timeoutMs, () => this.#fail(new DeadlinePassed(timeoutMs)));
  }

  #guard(step: () => void): void {
    try {
      step();
    } catch (cause) {
      this.#fail(cause);
    }
  }

  readonly #onAbort = (): void => {
    this.#settle();
    this.#reject(this.#request.signal.reason);
  };

  #fail(cause: unknown): void {
    if (this.#settled) return;
    this.#settle();
    this.#reject(new ExchangeFailed(this.#phase, this.#clock.elapsed() - this.#phaseBeganMs, cause));
  }

  #settle(): void {
    this.#settled = true;
    this.#stopTimer();
    this.#stopRest();
    this.#request.signal.removeEventListener("abort", this.#onAbort);
  }
}

function contentLength(headers: Headers): number | undefined {
  const text = headers["content-length"];
  return typeof text === "string" && /^\d+$/.test(text) ? Number(text) : undefined;
}
