import { Agent, fetch, type Response } from "undici";
import { httpTarget } from "../../../packages/client/src/options.ts";
import { hideSecrets } from "../../schemas/address-text.ts";
import { deadlineOf } from "../../shared/clock.ts";
import { parseRetryAfter } from "../../shared/retry-after.ts";
import type { Io } from "../io.ts";
import { readAuthority } from "../support/feed-authority.ts";
import { FeedRefused, refusalOf, type FeedAddress } from "../support/feed-request.ts";
import { feedHeaders } from "../support/feed-token.ts";
import { FeedUnreachable } from "../support/feed-url.ts";
import type { TrailFiles } from "./trail-files.ts";

const TOO_MANY_REQUESTS = 429;
const WAIT_MS = 1000;
const ANSWER_WITHIN_MS = 30_000;

/** A trail below an address, laid out as C2SP tlog-tiles says. */
export class ServedFiles implements TrailFiles {
  readonly name: string;
  readonly #address: FeedAddress;
  readonly #io: Io;
  readonly #agent: Agent;
  readonly #headers: Record<string, string>;

  /** @throws UsageError where a file cannot be used */
  constructor(address: FeedAddress, io: Io) {
    const ca = readAuthority(address.caCert);
    this.name = hideSecrets(address.url);
    this.#address = address;
    this.#io = io;
    this.#agent = new Agent(ca === undefined ? {} : { connect: { ca } });
    this.#headers = feedHeaders(address.tokenFile);
  }

  async read(path: string): Promise<Buffer | undefined> {
    const { address, basic } = httpTarget(this.#address.url, `/${path}`);
    using deadline = deadlineOf(this.#io.clock, ANSWER_WITHIN_MS);
    try {
      const response = await fetch(address, {
        dispatcher: this.#agent,
        headers: { ...(basic !== undefined && { authorization: basic }), ...this.#headers },
        signal: AbortSignal.any([this.#io.signal, deadline.signal]),
      });
      if (response.status === 404 || response.status === 410) return undefined;
      if (response.status === TOO_MANY_REQUESTS) return await this.#readLater(path, response);
      if (!response.ok) throw await refusalOf(response);
      return Buffer.from(await response.arrayBuffer());
    } catch (error) {
      this.#io.signal.throwIfAborted();
      if (error instanceof FeedRefused) throw error;
      throw new FeedUnreachable(this.#address.url, error, "Is it the address of a trail that is served?");
    }
  }

  /** A trail is read faster than a server lets one client ask. */
  async #readLater(path: string, { headers, body }: Response): Promise<Buffer | undefined> {
    await body?.cancel();
    const waitMs = parseRetryAfter(headers.get("retry-after") ?? undefined, headers.get("date") ?? undefined);
    await this.#io.clock.sleep(waitMs ?? WAIT_MS, this.#io.signal);
    return this.read(path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.close();
  }
}
