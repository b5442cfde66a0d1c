import type { Readable } from "node:stream";
import type { Dispatcher } from "undici";
import type { Clock } from "../shared/clock.ts";
import { DeadlinePassed, ExchangeFailed, type Headers } from "./exchange.ts";

export interface OpenBodyRequest {
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** To the headers of the answer, ms. */
  readonly headersTimeoutMs: number;
  readonly signal: AbortSignal;
}

export interface OpenBody {
  readonly status: number;
  readonly headers: Headers;
  /** As it arrives, as fast as it is read. */
  readonly body: Readable;
}

/**
 * One GET whose body is read while it arrives. Rejects with ExchangeFailed, or with the signal's reason. An abort
 * destroys the body too.
 */
export async function openBody(
  dispatcher: Dispatcher,
  { path, headers, headersTimeoutMs, signal }: OpenBodyRequest,
  clock: Clock,
): Promise<OpenBody> {
  const late = new AbortController();
  const beganMs = clock.elapsed();
  const stopTimer = clock.after(headersTimeoutMs, () => late.abort(new DeadlinePassed(headersTimeoutMs)));
  try {
    const answer = await dispatcher.request({
      method: "GET",
      path,
      headers,
      headersTimeout: 0,
      bodyTimeout: 0,
      signal: AbortSignal.any([signal, late.signal]),
    });
    // Whoever reads is told; a body that is destroyed while nobody does must not end the process.
    answer.body.on("error", () => undefined);
    return { status: answer.statusCode, headers: answer.headers, body: answer.body };
  } catch (cause) {
    signal.throwIfAborted();
    throw new ExchangeFailed("waiting", clock.elapsed() - beganMs, cause);
  } finally {
    stopTimer();
  }
}

/** The first bytes of a body, which is then at an end. Rejects as the body does. */
export async function startOf(body: Readable, maxBytes: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of body as AsyncIterable<Buffer>) {
    pieces.push(piece);
    length += piece.length;
    if (length >= maxBytes) break;
  }
  return Buffer.concat(pieces).subarray(0, maxBytes);
}

/**
 * What a body yields; it counts as ended when it is silent for too long: `firstMs` at the beginning, `silenceMs` later.
 * Rejects with ExchangeFailed.
 */
export async function* chunksOf(
  body: Readable,
  { firstMs, silenceMs }: { firstMs: number; silenceMs: number },
  clock: Clock,
): AsyncGenerator<Buffer> {
  const giveUpAfter = (ms: number) => clock.after(ms, () => body.destroy(new DeadlinePassed(ms)));
  let stopTimer = giveUpAfter(firstMs);
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      stopTimer();
      yield chunk;
      stopTimer = giveUpAfter(silenceMs);
    }
  } catch (cause) {
    throw new ExchangeFailed("reading", 0, cause);
  } finally {
    stopTimer();
  }
}
