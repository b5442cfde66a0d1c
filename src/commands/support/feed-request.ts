import { Agent, fetch, type Response } from "undici";
import type { ZodType } from "zod";
import { httpTarget } from "../../../packages/client/src/options.ts";
import { ChangefeedError } from "../../schemas/errors.ts";
import { problemSchema } from "../../schemas/problem-schema.ts";
import { deadlineOf } from "../../shared/clock.ts";
import type { Io } from "../io.ts";
import { readAuthority } from "./feed-authority.ts";
import { feedHeaders } from "./feed-token.ts";
import { assertFeedUrl, FeedUnreachable } from "./feed-url.ts";

/** How a command reaches a running feed. */
export interface FeedAddress {
  readonly url: string;
  readonly tokenFile?: string | undefined;
  readonly caCert?: string | undefined;
}

/** The feed understood what it was asked for, and will not do it: 4xx, in its own words. */
export class FeedRefused extends ChangefeedError {
  readonly code = "FEED_REFUSED";
  /** A line each, as of a file that has several. */
  readonly problems = this.message.split("\n");
}

const ANSWER_WITHIN_MS = 10_000;

interface Question<Answer> {
  readonly method?: "GET" | "POST" | "DELETE";
  /** `/v1/deliveries?limit=3` */
  readonly path: string;
  readonly schema: ZodType<Answer>;
  /** Default: 10 s. */
  readonly withinMs?: number;
}

/**
 * What a feed answers to one request.
 * @throws UsageError (the address or a file), FeedRefused, FeedUnreachable
 */
export async function askFeed<Answer>(
  { url, tokenFile, caCert }: FeedAddress,
  { method = "GET", path, schema, withinMs = ANSWER_WITHIN_MS }: Question<Answer>,
  io: Io,
): Promise<Answer> {
  assertFeedUrl(url, ["http:", "https:"]);
  const ca = readAuthority(caCert);
  const headers = feedHeaders(tokenFile);
  const { address, basic } = httpTarget(url, path);
  const dispatcher = new Agent(ca === undefined ? {} : { connect: { ca } });
  using deadline = deadlineOf(io.clock, withinMs);
  try {
    const response = await fetch(address, {
      method,
      dispatcher,
      headers: { ...(basic !== undefined && { authorization: basic }), ...headers },
      signal: AbortSignal.any([io.signal, deadline.signal]),
    });
    if (!response.ok) throw await refusalOf(response);
    return schema.parse(await response.json());
  } catch (error) {
    io.signal.throwIfAborted();
    if (error instanceof FeedRefused) throw error;
    throw new FeedUnreachable(url, error);
  } finally {
    await dispatcher.close();
  }
}

/** Of an answer that is none, such as that Redis is away. */
async function refusalOf(response: Response): Promise<Error> {
  const problem = problemSchema.safeParse(await response.json().catch(() => undefined));
  const { message, hint } = problem.data ?? { message: response.statusText };
  if (problem.success && response.status < 500)
    return new FeedRefused(message, hint === undefined ? {} : { hint });
  return new Error(`${response.status}, ${message}`);
}
