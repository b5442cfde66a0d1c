import type { ServerError } from "./errors.ts";
import { httpTarget, type SubscribeOptions } from "./options.ts";

export type Access = Pick<SubscribeOptions, "url" | "token" | "signal">;

export interface Answer {
  /** 0 where nobody answered. */
  readonly status: number;
  readonly body: unknown;
  /** What was wrong, as far as the server said it. */
  readonly serverError: ServerError;
}

/** The token to use now. */
export async function tokenOf({ token }: Pick<Access, "token">): Promise<string | undefined> {
  return typeof token === "function" ? token() : token;
}

/** One request to the feed's server. Rejects only with the reason of `signal`, or with what `token` throws. */
export async function ask(access: Access, path: string, method: "GET" | "POST" = "GET"): Promise<Answer> {
  const token = await tokenOf(access);
  const { address, basic } = httpTarget(access.url, path);
  const authorization = token === undefined ? basic : `Bearer ${token}`;
  try {
    const response = await fetch(address, {
      method,
      headers: authorization === undefined ? {} : { authorization },
      ...(access.signal !== undefined && { signal: access.signal }),
    });
    const body: unknown = await response.json().catch(() => undefined);
    return {
      status: response.status,
      body,
      serverError: typeof body === "object" && body !== null ? body : {},
    };
  } catch (error) {
    access.signal?.throwIfAborted();
    return {
      status: 0,
      body: undefined,
      serverError: { message: error instanceof Error ? error.message : "" },
    };
  }
}
