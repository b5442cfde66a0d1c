import { nodeSocketTrusting } from "../../packages/client/src/node-socket.ts";
import { watchStateOver, type WatchedState } from "../../packages/client/src/watch-state.ts";
import { hideSecrets } from "../schemas/address-text.ts";
import { plainText, terminalJson } from "../schemas/terminal-text.ts";
import { deadlineOf } from "../shared/clock.ts";
import { printDuration } from "../shared/duration.ts";
import type { Io } from "./io.ts";
import { stderrColoursFor } from "./support/colours.ts";
import { EXIT_CODES } from "./support/exit.ts";
import { readAuthority } from "./support/feed-authority.ts";
import type { FeedAddress } from "./support/feed-request.ts";
import { readFeedToken } from "./support/feed-token.ts";
import { assertFeedUrl } from "./support/feed-url.ts";
import { timeText } from "./support/times.ts";
import { knownOf } from "./waiting/known.ts";
import { standingOf } from "./waiting/look.ts";
import { standingText, type Outcome, type Standing } from "./waiting/standing.ts";
import { filterOf, type Wanted } from "./waiting/wanted.ts";

export interface WaitOptions extends FeedAddress {
  readonly wanted: Wanted;
  readonly timeoutMs: number;
  /** A JSON object a line. */
  readonly json: boolean;
}

/** How long an end must hold where another version may still be heard of. */
const HOLD_MS = 3000;

type End = Pick<Outcome, "why"> & { readonly end: Outcome["end"] | "timeout" | "interrupted" };

const CODES: Readonly<Record<End["end"], number>> = {
  reached: EXIT_CODES.ok,
  failed: EXIT_CODES.failed,
  interrupted: EXIT_CODES.failed,
  timeout: EXIT_CODES.timeout,
};

/**
 * Waits until a deployment or a job is as wanted, through disconnections of the feed, and prints a line for each change.
 * Answers the exit code.
 * @throws UsageError, StreamRefused
 */
export async function wait(options: WaitOptions, io: Io): Promise<number> {
  assertFeedUrl(options.url, ["http:", "https:", "ws:", "wss:"]);
  const stop = new AbortController();
  using deadline = deadlineOf(io.clock, options.timeoutMs);
  const signal = AbortSignal.any([io.signal, deadline.signal, stop.signal]);
  using waiting = new Waiting(options, io, signal);
  try {
    const outcome = await waiting.ended;
    return waiting.tell(outcome ?? ending(io, waiting, options));
  } finally {
    stop.abort();
  }
}

function ending(io: Io, waiting: Waiting, { timeoutMs, url }: WaitOptions): End {
  if (io.signal.aborted) return { end: "interrupted", why: "told to end" };
  const away = waiting.isConnected ? "" : `; the feed at ${hideSecrets(url)} does not answer`;
  return { end: "timeout", why: `not within ${printDuration(timeoutMs)}${away}` };
}

/** One wait: what is known, what of it was printed, and which end holds since when. */
class Waiting implements Disposable {
  readonly #options: WaitOptions;
  readonly #io: Io;
  readonly #state: WatchedState;
  readonly #ended = Promise.withResolvers<Outcome>();
  #isConnected = false;
  #isReady = false;
  #wasThere = false;
  #standing: Standing | undefined;
  #printed = "";
  #stopHolding: (() => void) | undefined;

  constructor(options: WaitOptions, io: Io, signal: AbortSignal) {
    this.#options = options;
    this.#io = io;
    const { wanted, url, tokenFile, caCert } = options;
    this.#state = watchStateOver(nodeSocketTrusting(readAuthority(caCert)))({
      url,
      types: ["jobs", "deployments", "evaluations", "allocations"],
      namespaces: [wanted.namespace],
      filter: filterOf(wanted),
      signal,
      ...(tokenFile !== undefined && { token: () => readFeedToken(tokenFile) }),
      onChange: () => this.#look(),
      onConnection: (notice) => {
        this.#isConnected = notice.type === "client.connected";
        if (notice.type === "client.disconnected") this.#say(`${notice.reason}; trying again`);
      },
    });
  }

  /** Undefined where it was told to end before. */
  get ended(): Promise<Outcome | undefined> {
    const begun = this.#state.ready.then(
      () => this.#begin(),
      // `ended` says why.
      () => undefined,
    );
    const over = Promise.all([this.#state.ended, begun]).then(() => undefined);
    return Promise.race([this.#ended.promise, over]);
  }

  /** Whether the feed was connected, at last. */
  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** Prints how it ended; answers the exit code. */
  tell({ end, why }: End): number {
    const text = plainText(`${end}: ${why}`);
    this.#print(this.#options.json ? this.#json({ outcome: end, why }) : text);
    return CODES[end];
  }

  [Symbol.dispose](): void {
    this.#stopHolding?.();
  }

  #begin(): void {
    this.#isReady = true;
    this.#look();
  }

  #look(): void {
    if (!this.#isReady) return;
    const { wanted } = this.#options;
    const known = knownOf(this.#state.objects, wanted, this.#standing?.deployment ?? null);
    this.#wasThere ||= (known.job ?? known.deployment) !== undefined;
    const standing = standingOf(known, wanted, this.#wasThere);
    this.#hold(standing.outcome);
    this.#standing = standing;
    const text = standingText(standing);
    if (text === this.#printed) return;
    this.#printed = text;
    this.#print(this.#options.json ? this.#json({}) : plainText(text));
  }

  #hold(outcome: Outcome | undefined): void {
    const held = this.#standing?.outcome;
    if (outcome?.end === held?.end && outcome?.why === held?.why && outcome?.isSure === held?.isSure) return;
    this.#stopHolding?.();
    this.#stopHolding =
      outcome && this.#io.clock.after(outcome.isSure ? 0 : HOLD_MS, () => this.#ended.resolve(outcome));
  }

  #json(end: object): string {
    const { wanted } = this.#options;
    const { namespace, job } = wanted;
    const { subject: _subject, outcome: _outcome, ...standing } = this.#standing ?? {};
    const time = new Date(this.#io.clock.now()).toISOString();
    return terminalJson(JSON.stringify({ time, namespace, job, ...standing, ...end }));
  }

  #print(text: string): void {
    const time = timeText(new Date(this.#io.clock.now()).toISOString());
    this.#io.stdout.write(this.#options.json ? `${text}\n` : `${time} ${text}\n`);
  }

  #say(text: string): void {
    this.#io.stderr.write(`${stderrColoursFor(this.#io).dim(plainText(text))}\n`);
  }
}
