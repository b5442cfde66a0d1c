import { Pool, type Dispatcher } from "undici";
import type { Clock } from "../../shared/clock.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { connectorOf, type ConnectorOptions } from "./connector.ts";
import type { Answer } from "./answer.ts";

/** What of an answer's body is kept, if nothing else is said. */
const KEPT_BYTES = 4096;
/** What is read of it so that the connection can be used again; of a longer one the connection is closed. */
const READ_BYTES = 64 * 1024;
/** How long it may take. The status is the answer: a body that does not end changes nothing. */
const READ_MS = 2_000;
const NOTHING = Buffer.alloc(0);

interface HttpRequest {
  readonly url: URL;
  readonly method: "POST" | "PUT" | "PATCH";
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string;
  /** How much of the answer's body is kept. Default: 4 KiB. */
  readonly keptBytes?: number;
}

interface Target {
  readonly pool: Pool;
  readonly path: string;
}

/** Sends requests by HTTP/1.1, over connections that it keeps. Follows no redirect. */
export class HttpClient implements AsyncDisposable {
  readonly #options: Pool.Options;
  readonly #clock: Pick<Clock, "after">;
  readonly #pools = new Map<string, Pool>();
  /** Most requests go to the same address, and a URL puts its parts together each time it is asked. */
  readonly #targets = new WeakMap<URL, Target>();

  /** @throws what is wrong with a TLS file */
  constructor(connection: ConnectorOptions, deps: { clock: Pick<Clock, "after">; logger: Logger }) {
    // The signal of whoever sends ends what takes too long.
    const timeouts = { headersTimeout: 0, bodyTimeout: 0 };
    this.#options = { connect: connectorOf(connection, deps.logger), ...timeouts };
    this.#clock = deps.clock;
  }

  /**
   * Resolves with the answer, of whose body so much was read as matters: what cuts that off changes nothing. Rejects
   * with what kept the answer from coming, and with the signal's reason.
   */
  ask(request: HttpRequest, signal: AbortSignal): Promise<Answer> {
    const { url, method, headers, body, keptBytes = KEPT_BYTES } = request;
    return new Promise((resolve, reject) => {
      const handler = new Asking({ resolve, reject }, { clock: this.#clock, keptBytes, signal });
      const { pool, path } = this.#targets.get(url) ?? this.#targetOf(url);
      pool.dispatch({ path, method, headers, body }, handler);
    });
  }

  #targetOf(url: URL): Target {
    const { origin } = url;
    const pool = this.#pools.get(origin) ?? new Pool(origin, this.#options);
    this.#pools.set(origin, pool);
    const target = { pool, path: `${url.pathname}${url.search}` };
    this.#targets.set(url, target);
    return target;
  }

  /** Ends what is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.destroy()));
  }
}

/** One request: undici's own `request` makes a stream of each answer, which costs as much as the rest of it. */
class Asking implements Dispatcher.DispatchHandler {
  readonly #to: { resolve: (answer: Answer) => void; reject: (reason: unknown) => void };
  readonly #clock: Pick<Clock, "after">;
  readonly #keptBytes: number;
  readonly #signal: AbortSignal;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #controller: Dispatcher.DispatchController | undefined;
  #head: Pick<Answer, "status" | "headers"> | undefined;
  #stopTimer = (): void => undefined;
  #isOver = false;

  constructor(
    to: { resolve: (answer: Answer) => void; reject: (reason: unknown) => void },
    { clock, keptBytes, signal }: { clock: Pick<Clock, "after">; keptBytes: number; signal: AbortSignal },
  ) {
    this.#to = to;
    this.#clock = clock;
    this.#keptBytes = keptBytes;
    this.#signal = signal;
    signal.addEventListener("abort", this.#onAbort, { once: true });
    if (signal.aborted) this.#onAbort();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // It waited for a connection, and nobody wants it any more.
    if (this.#isOver) controller.abort(new Error("nobody waits for the answer any more"));
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Answer["headers"],
  ): void {
    if (status < 200 || this.#isOver) return;
    this.#head = { status, headers };
    // Mostly there is no more to come, and so nothing to wait for.
    queueMicrotask(() => {
      if (!this.#isOver) this.#stopTimer = this.#clock.after(READ_MS, () => this.#cutOff());
    });
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#isOver) return;
    if (this.#bytes < this.#keptBytes) this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes > Math.max(READ_BYTES, this.#keptBytes)) this.#cutOff();
  }

  onResponseEnd(): void {
    this.#answered();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#head !== undefined) this.#answered();
    else if (this.#end()) this.#to.reject(error);
  }

  /** What is there is the answer. */
  #cutOff(): void {
    this.#answered();
    this.#controller?.abort(new Error("the rest of the answer is not read"));
  }

  #answered(): void {
    if (this.#head === undefined || !this.#end()) return;
    const kept = this.#bytes === 0 ? NOTHING : Buffer.concat(this.#chunks).subarray(0, this.#keptBytes);
    const text = kept.toString("utf8");
    this.#to.resolve({ ...this.#head, bytes: kept, text, isCut: this.#bytes > kept.length });
  }

  readonly #onAbort = (): void => {
    if (!this.#end()) return;
    const reason: unknown = this.#signal.reason;
    this.#to.reject(reason);
    this.#controller?.abort(reason instanceof Error ? reason : new Error("aborted"));
  };

  /** False where it was over before. */
  #end(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#stopTimer();
    this.#signal.removeEventListener("abort", this.#onAbort);
    return true;
  }
}
