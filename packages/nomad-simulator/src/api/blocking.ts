import type { Matches, Replica } from "../store/replica.ts";
import type { State } from "../store/state.ts";
import { replicaFor, type ApiContext } from "./context.ts";
import { problem, type Reply } from "./reply.ts";
import type { ApiRequest } from "./request.ts";

/** One run of a query on the state as it is. */
export interface Run {
  readonly index: number;
  readonly reply: Reply;
  /** Which later writes make another run worthwhile. */
  readonly matches: Matches;
  /** Answer at once, whatever the index: the query itself failed. */
  readonly failed?: boolean;
}

export type RunQuery = (state: State) => Run;

/** Nomad adds up to this part of the wait, so that clients do not come back all at once. */
const JITTER_FRACTION = 16;

/**
 * Nomad's blocking query: runs; where the index is not above the one asked for, sleeps until a watched write
 * and runs again; when the wait is over, gives the last run's answer, not the present one.
 */
export async function blockingQuery(context: ApiContext, request: ApiRequest, run: RunQuery): Promise<Reply> {
  const waitMs = request.waitMs + context.random.next() * (request.waitMs / JITTER_FRACTION);
  const deadline = performance.now() + waitMs;
  while (true) {
    const replica = replicaFor(context, request);
    const last = run(replica.state);
    if (request.minIndex === 0n || last.failed === true || BigInt(last.index) > request.minIndex)
      return last.reply;
    const outcome = await sleep(context, request, replica, last.matches, deadline - performance.now());
    if (outcome === "leader-lost") return problem(500, "rpc error: EOF");
    if (outcome === "timeout") return last.reply;
  }
}

type Outcome = "woken" | "timeout" | "leader-lost";

async function sleep(
  context: ApiContext,
  request: ApiRequest,
  replica: Replica,
  matches: Matches,
  forMs: number,
): Promise<Outcome> {
  if (forMs <= 0 || context.signal.aborted) return "timeout";
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const watch = replica.watch(matches, () => resolve("woken"));
  const timer = setTimeout(() => resolve("timeout"), forMs);
  const forget = request.stale ? undefined : context.leadership.onLoss(() => resolve("leader-lost"));
  const onClose = (): void => resolve("timeout");
  context.signal.addEventListener("abort", onClose, { once: true });
  request.onSleep?.();
  try {
    return await promise;
  } finally {
    watch.cancel();
    clearTimeout(timer);
    forget?.();
    context.signal.removeEventListener("abort", onClose);
  }
}
