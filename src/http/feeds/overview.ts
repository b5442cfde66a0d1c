import type { IncomingMessage } from "node:http";
import { deliveryOf, type AssignmentStatus } from "../../schemas/assignment-schema.ts";
import type { ReadinessReport } from "../health.ts";
import type { FeedMount } from "./feed-mount.ts";
import type { Answer } from "./mount.ts";
import { FEEDS_PATH } from "./paths.ts";

/** One feed as `/v1/feeds` tells of it. */
export interface FeedOverview {
  readonly name: string;
  /** Where it is, relative to the process's address. */
  readonly path: string;
  /** starting: it is not served yet, or not any more; reading: it is served, and not all is read yet. */
  readonly state: "starting" | "reading" | "ready";
  /** nomad://<cluster>/<region>; null while it is not served. */
  readonly source: string | null;
  /** Cursor of the newest event. */
  readonly head: string | null;
  /** For how long the scope that is worst off could not be read, ms. */
  readonly lagMs: number | null;
  /** Why it is not ready. */
  readonly why: string | null;
}

/** What the feed says of itself to whoever asks; its refusal where it does not let them in. */
export async function overviewOf(feed: FeedMount, message: IncomingMessage): Promise<FeedOverview | Answer> {
  const path = pathOf(feed);
  const [about, ready, assignments] = await Promise.all(
    ["/v1/about", "/readyz", "/v1/assignments"].map((route) => feed.ask(route, message)),
  );
  if (about === undefined) {
    const why = feed.isServed ? "it does not answer" : feed.awaited;
    return { name: feed.name, path, state: "starting", source: null, head: null, lagMs: null, why };
  }
  if (about.status !== 200) return about;
  const { source = null, feed: log } = bodyOf<{ source: string; feed: { head: string } }>(about);
  return {
    name: feed.name,
    path,
    state: ready?.status === 200 ? "ready" : "reading",
    source,
    head: log?.head ?? null,
    lagMs: lagIn(assignments),
    why: ready?.status === 200 ? null : whyIn(ready),
  };
}

/** The path of a feed, relative to the process's address. */
export function pathOf({ name }: Pick<FeedMount, "name">): string {
  return `${FEEDS_PATH.slice(1)}/${name}/`;
}

function lagIn(answer: Answer | undefined): number | null {
  const { assignments = [] } = bodyOf<{ assignments: AssignmentStatus[] }>(answer);
  const lags = assignments.flatMap(({ assignment, lagMs }) =>
    lagMs === null || deliveryOf(assignment) !== undefined ? [] : [lagMs],
  );
  return lags.length === 0 ? null : Math.max(...lags);
}

function whyIn(answer: Answer | undefined): string | null {
  const { waiting = [], why } = bodyOf<ReadinessReport & { why: string }>(answer);
  const [first] = waiting;
  return why ?? (first === undefined ? null : `${first.scope}: ${first.why}`);
}

/** What the feed answered; nothing where it did not, or refused. */
function bodyOf<Body extends object>(answer: Answer | undefined): Partial<Body> {
  return answer === undefined ? {} : (JSON.parse(answer.body) as Partial<Body>);
}
