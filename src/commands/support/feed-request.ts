import { Agent, fetch, type Response } from "undici";
import type { ZodType } from "zod";
import { httpTarget } from "../../../packages/client/src/options.ts";
import { ChangefeedError } from "../../schemas/errors.ts";
import { problemSchema, type Problem } from "../../schemas/problem-schema.ts";
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
  /** What may stand where something else does. */
  readonly allowed: readonly string[] | undefined;

  constructor(message: string, { hint, allowed }: Pick<Problem, "hint" | "allowed"> = {}) {
    super(message, hint === undefined ? {} : { hint });
    this.allowed = allowed;
  }
}

const ANSWER_WITHIN_MS = 10_000;

interface Request {
  readonly method?: "GET" | "POST" | "DELETE";
  /** `/v1/deliveries?limit=3` */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: as long as it takes. */
  readonly withinMs?: number;
}

interface Question<Answer> extends Request {
  readonly schema: ZodType<Answer>;
  /** Default: 10 s. */
  readonly withinMs?: number;
}

/**
 * What a feed answers to one request.
 * @throws UsageError (the address or a file), FeedRefused, FeedUnreachable
 */
export function askFeed<Answer>(
  address: FeedAddress,
  { schema, ...question }: Question<Answer>,
  io: Io,
): Promise<Answer> {
  const request = { withinMs: ANSWER_WITHIN_MS, ...question };
  return requestFeed(address, request, io, async (response) => schema.parse(await response.json()));
}

/**
 * The same for an answer that is taken as it comes; all of it belongs to `take`.
 * @throws UsageError (the address or a file), FeedRefused, FeedUnreachable; what `take` throws on purpose
 */
export async function requestFeed<Result>(
  { url, tokenFile, caCert }: FeedAddress,
  { method = "GET", path, headers: more, withinMs }: Request,
  io: Io,
  take: (response: Response) => Promise<Result>,
): Promise<Result> {
  assertFeedUrl(url, ["http:", "https:"]);
  const ca = readAuthority(caCert);
  const headers = { ...feedHeaders(tokenFile), ...more };
  const { address, basic } = httpTarget(url, path);
  const dispatcher = new Agent(ca === undefined ? {} : { connect: { ca } });
  using deadline = withinMs === undefined ? undefined : deadlineOf(io.clock, withinMs);
  const signals = deadline === undefined ? [io.signal] : [io.signal, deadline.signal];
  try {
    const response = await fetch(address, {
      method,
      dispatcher,
      headers: { ...(basic !== undefined && { authorization: basic }), ...headers },
      signal: AbortSignal.any(signals),
    });
    if (!response.ok) throw await refusalOf(response);
    return await take(response);
  } catch (error) {
    io.signal.throwIfAborted();
    if (error instanceof ChangefeedError) throw error;
    throw new FeedUnreachable(url, error);
  } finally {
    await dispatcher.close();
  }
}

/** Of an answer that is none: FeedRefused, or something else, such as that Redis is away. */
export async function refusalOf(response: Response): Promise<Error> {
  const { data } = problemSchema.safeParse(await response.json().catch(() => undefined));
  if (data !== undefined && response.status < 500) return new FeedRefused(data.message, data);
  return new Error(`${response.status}, ${data?.message ?? response.statusText}`);
}
