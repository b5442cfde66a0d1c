import type { NomadApi } from "../../nomad/api.ts";
import { Backoff } from "../../shared/backoff.ts";
import type { Clock } from "../../shared/clock.ts";

const WAIT_MS = 50_000;
const MAX_BACKOFF_MS = 30_000;

export interface NamespaceWatchDeps {
  readonly nomad: Pick<NomadApi, "list">;
  readonly clock: Clock;
  readonly random: () => number;
}

/**
 * Calls `onNew` when there are more namespaces, until the signal aborts. A subscription to the event stream of all
 * has those that there were when it began.
 */
export async function watchNamespaces(
  { nomad, clock, random }: NamespaceWatchDeps,
  onNew: () => void,
  signal: AbortSignal,
): Promise<void> {
  const backoff = new Backoff({ baseMs: 250, maxMs: MAX_BACKOFF_MS, random });
  let known: { readonly index: string; readonly names: ReadonlySet<string> } | undefined;
  while (!signal.aborted) {
    try {
      const blocking = known === undefined ? {} : { index: known.index, waitMs: WAIT_MS };
      const { body, index } = await nomad.list({
        resource: "namespaces",
        namespace: "-",
        ...blocking,
        signal,
      });
      const names = namesIn(body);
      const before = known?.names;
      if (before !== undefined && [...names].some((name) => !before.has(name))) onNew();
      known = { index, names };
      backoff.reset();
    } catch {
      // The feed's own watch of namespaces says what is wrong. What was missed meanwhile is found with the next list.
      await clock.sleep(backoff.next(), signal);
    }
  }
}

function namesIn(body: Buffer): ReadonlySet<string> {
  const listed = JSON.parse(body.toString()) as readonly { readonly Name: string }[];
  return new Set(listed.map(({ Name }) => Name));
}
