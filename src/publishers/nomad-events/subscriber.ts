import type { Clock } from "../../shared/clock.ts";
import type { FrameFeed } from "./frame-feed.ts";
import { selectedOf, type Namespaces, type StreamRequest } from "./selection.ts";
import type { SplitFrame } from "./split-frame.ts";

/** What a client may have. */
interface ClientAccess {
  readonly namespaces: Namespaces;
  /** Looks again; false where the client may have nothing any more. */
  renew(): Promise<boolean>;
}

export interface SubscriberDeps {
  readonly feed: FrameFeed;
  readonly access: ClientAccess;
  readonly clock: Pick<Clock, "yield">;
  /** Resolves when the client can take more. */
  readonly write: (lines: Buffer) => Promise<void>;
}

/** "overtaken": retention took what comes next. "denied": the client may have no more. */
export type SubscriberEnd = "stopped" | "overtaken" | "denied";

/** What may change rights, and makes Nomad look again at who hears its stream. */
const ABOUT_RIGHTS: ReadonlySet<string> = new Set(["ACLToken", "ACLPolicy", "ACLRole"]);

/** Sends a client what it asked for, from the frame behind `after` on, until the signal aborts. */
export async function sendFrames(
  { feed, access, clock, write }: SubscriberDeps,
  request: StreamRequest,
  after: number,
  signal: AbortSignal,
): Promise<SubscriberEnd> {
  const strangers = new Strangers(request.namespace === "*" ? access : undefined);
  let position = after;
  let isLive = false;
  while (!signal.aborted) {
    const read = feed.read(position);
    if (read === undefined) return "overtaken";
    if (read.length === 0) {
      isLive = true;
      await feed.appended(position, signal);
      continue;
    }
    const frames = request.withExtra ? read : read.filter(({ isExtra }) => !isExtra);
    // What is old changed no right that was not looked at since.
    const isToRenew = isLive && (frames.some(isAboutRights) || strangers.areIn(frames));
    if (isToRenew && !(await access.renew())) return "denied";
    const lines = frames.flatMap((frame) => {
      const places = selectedOf(frame.heads, request, access.namespaces);
      return places.length === 0 ? [] : [frame.with(places)];
    });
    position = read.at(-1)?.sequence ?? position;
    if (lines.length > 0) await write(Buffer.concat(lines));
    await clock.yield();
  }
  return "stopped";
}

function isAboutRights({ heads }: SplitFrame): boolean {
  return heads.some(({ topic }) => ABOUT_RIGHTS.has(topic));
}

/** Namespaces that a client of all does not have yet: each is asked for once. */
class Strangers {
  readonly #access: Pick<ClientAccess, "namespaces"> | undefined;
  readonly #asked = new Set<string>();

  constructor(access: Pick<ClientAccess, "namespaces"> | undefined) {
    this.#access = access;
  }

  areIn(frames: readonly SplitFrame[]): boolean {
    const known = this.#access?.namespaces ?? "all";
    if (known === "all") return false;
    const named = new Set(frames.flatMap(({ heads }) => heads.map(({ namespace }) => namespace)));
    const strange = [...named].filter((name) => name !== "" && !known.has(name) && !this.#asked.has(name));
    for (const name of strange) this.#asked.add(name);
    return strange.length > 0;
  }
}
