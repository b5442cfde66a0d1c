import { deferred } from "./deferred.ts";
import type { ServerError } from "./errors.ts";
import { httpTarget, type SubscribeOptions } from "./options.ts";
import { retryAfterIn } from "./retry-after.ts";

export interface Access extends Pick<SubscribeOptions, "url" | "signal"> {
  readonly token?: SubscribeOptions["token"] | undefined;
}

export interface Answer {
  /** 0 where nobody answered. */
  readonly status: number;
  readonly body: unknown;
  /** What was wrong, as far as the server said it. */
  readonly serverError: ServerError;
  /** How long the server wants to be left alone. */
  readonly retryAfterMs: number;
}

/** The token to use now. Rejects with the reason of `signal`, of which whoever gives tokens may not know. */
export async function tokenOf({
  token,
  signal,
}: Pick<Access, "token" | "signal">): Promise<string | undefined> {
  if (typeof token !== "function") return token;
  if (signal === undefined) return token();
  signal.throwIfAborted();
  const { promise: aborted, reject } = deferred<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort);
  try {
    return await Promise.race([token(), aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

export type Method = "GET" | "POST" | "DELETE";

/**
 * One request to the feed's server. Rejects with the reason of `signal`, with what `token` throws, or as `fetch` does
 * where nobody answers.
 */
export async function send(
  access: Access,
  path: string,
  { method = "GET", accept }: { readonly method?: Method; readonly accept?: string } = {},
): Promise<Response> {
  const token = await tokenOf(access);
  const { address, basic } = httpTarget(access.url, path);
  const authorization = token === undefined ? basic : `Bearer ${token}`;
  // A page of another site cannot have a browser send the header that goes with its cookie.
  const isOfSession = token === undefined || path.startsWith("/v1/session");
  return fetch(address, {
    method,
    credentials: "same-origin",
    headers: {
      ...(accept !== undefined && { accept }),
      ...(authorization !== undefined && { authorization }),
      ...(method !== "GET" && isOfSession && { "x-changefeed-csrf": "1" }),
    },
    ...(access.signal !== undefined && { signal: access.signal }),
  });
}

/** The same, read whole. Rejects only with the reason of `signal`, or with what `token` throws. */
export async function ask(access: Access, path: string, method?: Method): Promise<Answer> {
  const token = await tokenOf(access);
  try {
    const response = await send({ ...access, token }, path, method === undefined ? {} : { method });
    const body: unknown = await response.json().catch(() => undefined);
    return {
      status: response.status,
      body,
      serverError: typeof body === "object" && body !== null ? body : {},
      retryAfterMs: retryAfterIn(response) ?? 0,
    };
  } catch (error) {
    access.signal?.throwIfAborted();
    return {
      status: 0,
      body: undefined,
      serverError: { message: error instanceof Error ? error.message : "" },
      retryAfterMs: 0,
    };
  }
}
