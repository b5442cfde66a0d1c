import {
  originalText,
  type Connected,
  type Disconnected,
  type Gap,
} from "../../packages/client/src/index.ts";
import { nodeSocketTrusting } from "../../packages/client/src/node-socket.ts";
import { subscribeOver } from "../../packages/client/src/subscription.ts";
import { SIGNAL_NAMES } from "../events/signals.ts";
import { compileFilter } from "../publishers/selection/filter-expression.ts";
import { hideSecrets } from "../schemas/address-text.ts";
import { parseSubscription } from "../schemas/subscription-schema.ts";
import { deadlineOf, type Clock } from "../shared/clock.ts";
import { plainText, terminalJson } from "../schemas/terminal-text.ts";
import type { Io } from "./io.ts";
import { coloursFor, stderrColoursFor } from "./support/colours.ts";
import { eventLine } from "./support/event-line.ts";
import { readAuthority } from "./support/feed-authority.ts";
import { readFeedToken } from "./support/feed-token.ts";
import { assertFeedUrl, FeedUnreachable } from "./support/feed-url.ts";
import { writeText } from "./support/write-text.ts";

export interface TailOptions {
  readonly url: string;
  /** File with the token to send, where the feed asks for one. */
  readonly tokenFile?: string | undefined;
  /** PEM file of the authority that signed the feed's certificate. */
  readonly caCert?: string | undefined;
  /** Ends by itself after so long, ms. */
  readonly forMs?: number | undefined;
  /** Fails where the feed is not reached for so long, ms. */
  readonly giveUpMs?: number | undefined;
  /** Events as they are, one JSON object a line. */
  readonly json: boolean;
  /** Parameters of /v1/events, by their names. */
  readonly parameters: Readonly<Record<string, string | readonly string[]>>;
}

/**
 * Follows the feed until Ctrl-C or as long as it was told to, through disconnections, and prints a line for each event.
 * @throws UsageError, StreamRefused, FeedUnreachable where it gives up.
 */
export async function tail(options: TailOptions, io: Io): Promise<void> {
  assertFeedUrl(options.url, ["http:", "https:", "ws:", "wss:"]);
  const query = queryOf(options.parameters);
  const severity = query.get("minSeverity");
  if (severity !== null) query.set("minSeverity", severity.toUpperCase());
  parseSubscription(query, {
    format: "websocket",
    nowMs: io.clock.now(),
    signals: SIGNAL_NAMES,
    compileFilter,
  });
  const colours = coloursFor(io);
  const { dim } = stderrColoursFor(io);
  const say = (text: string) => io.stderr.write(`${dim(plainText(text))}\n`);
  const { tokenFile, forMs, giveUpMs } = options;
  const patience = new Patience(giveUpMs, io.clock);
  using end = forMs === undefined ? undefined : deadlineOf(io.clock, forMs);
  const feed = subscribeOver(nodeSocketTrusting(readAuthority(options.caCert)))({
    url: options.url,
    parameters: valuesOf(query),
    signal: AbortSignal.any([io.signal, patience.signal, ...(end === undefined ? [] : [end.signal])]),
    ...(tokenFile !== undefined && { token: () => readFeedToken(tokenFile) }),
    notices: ["client.connected", "client.disconnected"],
    // A cursor of the user's own that leads nowhere is an error.
    onexpired: ({ reason, resumed }) => (resumed && reason === "expired" ? "earliest" : "fail"),
  });
  for await (const item of feed) {
    if (isTold(item)) {
      patience.hear(item);
      say(statusText(item, hideSecrets(options.url)));
    } else {
      const json = originalText(item);
      const line = options.json ? terminalJson(json) : eventLine(json, colours, io.columns());
      await writeText(io.stdout, `${line}\n`, io.signal);
    }
  }
  if (patience.signal.aborted) throw new FeedUnreachable(options.url, patience.lastReason);
}

/** Runs out where a feed is not connected for too long. */
class Patience {
  readonly #giveUp = new AbortController();
  readonly #forMs: number | undefined;
  readonly #clock: Clock;
  #stopTimer: (() => void) | undefined;
  /** What the last try met. */
  lastReason: Error | undefined;

  constructor(forMs: number | undefined, clock: Clock) {
    this.#clock = clock;
    this.#forMs = forMs;
    this.#start();
  }

  /** Aborts when it has run out. */
  get signal(): AbortSignal {
    return this.#giveUp.signal;
  }

  hear(status: Status): void {
    if (status.type === "client.disconnected") {
      this.lastReason = new Error(status.reason);
      this.#start();
    } else {
      this.#stopTimer?.();
      this.#stopTimer = undefined;
    }
  }

  #start(): void {
    if (this.#forMs === undefined) return;
    this.#stopTimer ??= this.#clock.after(this.#forMs, () => this.#giveUp.abort());
  }
}

type Status = Connected | Disconnected | Gap;

function isTold(item: { readonly type: string }): item is Status {
  return ["client.connected", "client.disconnected", "nomad.feed.gap"].includes(item.type);
}

function valuesOf(query: URLSearchParams): Record<string, readonly string[]> {
  return Object.fromEntries([...query.keys()].map((name) => [name, query.getAll(name)]));
}

function queryOf(parameters: TailOptions["parameters"]): URLSearchParams {
  const query = new URLSearchParams();
  for (const [name, values] of Object.entries(parameters)) {
    for (const value of [values].flat()) query.append(name, value);
  }
  return query;
}

function statusText(status: Status, url: string): string {
  switch (status.type) {
    case "client.connected":
      return `${status.again ? "connected again" : `connected to ${url}`}, after cursor ${status.cursor}`;
    case "client.disconnected": {
      const wait = `trying again in ${(status.retryInMs / 1000).toFixed(1)} s`;
      return status.unreachable
        ? `cannot reach ${url} (${status.reason}): is \`nomad-changefeed run\` running there? ${wait}`
        : `disconnected: ${status.reason}; ${wait}, from where we were`;
    }
    case "nomad.feed.gap": {
      const { wanted, cursor } = status.data;
      return `events after cursor ${wanted} were removed by retention; going on after ${cursor}, the earliest that is kept`;
    }
    default:
      return status satisfies never;
  }
}
