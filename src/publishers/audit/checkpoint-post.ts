import type { AuditSettings } from "../../schemas/destinations/audit.ts";
import { Backoff } from "../../shared/backoff.ts";
import { deadlineOf } from "../../shared/clock.ts";
import type { DestinationDeps } from "../destination-deps.ts";
import { Endpoint } from "../http-client/endpoint.ts";
import { HttpClient } from "../http-client/http-client.ts";

const WITHIN_MS = 20_000;
const RETRY_MS = { baseMs: 1000, maxMs: 300_000 };

type PostSettings = NonNullable<AuditSettings["checkpointTo"]>;

/**
 * Posts new checkpoints to an address, so that a copy stands elsewhere: the newest, one at a time, none sooner than
 * `every` after the one before. What was not taken is tried again, or the newer one in its place. Holds up nothing.
 */
export class CheckpointPost implements AsyncDisposable {
  readonly #endpoint: Endpoint;
  readonly #client: HttpClient;
  readonly #everyMs: number;
  readonly #deps: DestinationDeps;
  readonly #backoff: Backoff;
  readonly #stop = new AbortController();
  #newest: string | undefined;
  #posting = Promise.resolve();
  #isPosting = false;
  #isFailing = false;

  /** @throws what is wrong with the address, or a TLS file */
  constructor({ every, tls, allowPrivate, ...address }: PostSettings, deps: DestinationDeps) {
    this.#endpoint = new Endpoint(address, deps.readSecret);
    this.#client = new HttpClient({ ...tls, allowPrivate }, deps);
    this.#everyMs = every;
    this.#deps = deps;
    this.#backoff = new Backoff({ ...RETRY_MS, random: deps.random });
  }

  offer(checkpoint: string): void {
    this.#newest = checkpoint;
    if (!this.#isPosting) this.#posting = this.#postAll();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("stopped"));
    await this.#posting;
    await this.#client[Symbol.asyncDispose]();
  }

  async #postAll(): Promise<void> {
    this.#isPosting = true;
    while (this.#newest !== undefined && !this.#stop.signal.aborted) {
      const checkpoint = this.#newest;
      this.#newest = undefined;
      const problem = await this.#post(checkpoint);
      this.#tell(problem);
      if (problem !== undefined) this.#newest ??= checkpoint;
      const waitMs = problem === undefined ? this.#everyMs : this.#backoff.next();
      await this.#deps.clock.sleep(waitMs, this.#stop.signal);
    }
    this.#isPosting = false;
  }

  /** Why it was not taken. */
  async #post(body: string): Promise<string | undefined> {
    const { url, headers } = this.#endpoint;
    const all = { "content-type": "text/plain; charset=utf-8", ...headers };
    using deadline = deadlineOf(this.#deps.clock, WITHIN_MS);
    const signal = AbortSignal.any([this.#stop.signal, deadline.signal]);
    try {
      const { status } = await this.#client.ask({ url, method: "POST", headers: all, body }, signal);
      return status >= 200 && status < 300 ? undefined : `it answered ${status}`;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  /** Each change is told once. */
  #tell(problem: string | undefined): void {
    if (this.#stop.signal.aborted || (problem !== undefined) === this.#isFailing) return;
    const { name, logger } = this.#deps;
    const to = this.#endpoint.origin;
    this.#isFailing = problem !== undefined;
    if (problem === undefined) {
      this.#backoff.reset();
      logger.info({ destination: name, to }, "checkpoints of the audit trail are taken again");
    } else {
      const told = { destination: name, to, reason: problem };
      logger.warn(
        told,
        "a checkpoint of the audit trail was not taken elsewhere; it, or a newer one, is posted again",
      );
    }
  }
}
