import { SIGNAL_NAMES } from "../events/signals.ts";
import { compileFilter } from "../publishers/filter-expression.ts";
import { parseSubscription } from "../schemas/subscription-schema.ts";
import type { Io } from "./io.ts";
import { coloursFor } from "./support/colours.ts";
import { eventLine } from "./support/event-line.ts";
import { feedHeaders } from "./support/feed-token.ts";
import { assertFeedUrl } from "./support/feed-url.ts";
import { followFeed, type FollowStatus } from "./support/follow-feed.ts";
import { writeText } from "./support/write-text.ts";

export interface TailOptions {
  readonly url: string;
  /** File with the token to send, where the feed asks for one. */
  readonly tokenFile?: string | undefined;
  /** Events as they are, one JSON object a line. */
  readonly json: boolean;
  /** Parameters of /v1/events, by their names. */
  readonly parameters: Readonly<Record<string, string | readonly string[]>>;
}

/** Follows the feed until Ctrl-C, through disconnections, and prints a line for each event. */
export async function tail(options: TailOptions, io: Io): Promise<void> {
  assertFeedUrl(options.url, ["http:", "https:", "ws:", "wss:"]);
  const query = queryOf(options.parameters);
  const severity = query.get("minSeverity");
  if (severity !== null) query.set("minSeverity", severity.toUpperCase());
  parseSubscription(query, {
    format: "websocket",
    nowMs: Date.now(),
    signals: SIGNAL_NAMES,
    compileFilter,
  });
  const colours = coloursFor(io);
  await followFeed({
    url: options.url,
    query,
    signal: io.signal,
    headers: () => feedHeaders(options.tokenFile),
    onEvent: (json) => writeText(io.stdout, `${options.json ? json : eventLine(json, colours)}\n`, io.signal),
    onStatus: (status) => io.stderr.write(`${colours.dim(statusText(status, options.url))}\n`),
  });
}

function queryOf(parameters: TailOptions["parameters"]): URLSearchParams {
  const query = new URLSearchParams();
  for (const [name, values] of Object.entries(parameters)) {
    for (const value of [values].flat()) query.append(name, value);
  }
  return query;
}

function statusText(status: FollowStatus, url: string): string {
  switch (status.kind) {
    case "connected":
      return (
        `${status.again ? "connected again" : `connected to ${url}`}, after cursor ${status.cursor}` +
        (status.gap ? "; events before it that you asked for are gone (retention)" : "")
      );
    case "disconnected": {
      const wait = `trying again in ${(status.retryInMs / 1000).toFixed(1)} s`;
      return status.unreachable
        ? `cannot reach ${url} (${status.reason}): is \`nomad-changefeed run\` running there? ${wait}`
        : `disconnected: ${status.reason}; ${wait}, from where we were`;
    }
    case "expired":
      return `events after cursor ${status.cursor} were removed by retention; going on from the earliest that is kept`;
    default:
      return status satisfies never;
  }
}
