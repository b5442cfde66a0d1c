import { actorOf } from "../../events/actor.ts";
import type { JobAuthors } from "../../nomad/job-authors.ts";
import type { Actor } from "../../schemas/event-schema.ts";
import type { Clock } from "../../shared/clock.ts";
import { isSpecWritten, specIndexOf, type Finder } from "./finder.ts";

interface ActorFinderDeps {
  readonly authors: JobAuthors;
  readonly clock: Pick<Clock, "elapsed">;
}

const NAMES_HOLD_MS = 60_000;

/** Who registered the job: `--enrich actor`. Who stopped it Nomad does not say. */
export function actorFinder({ authors, clock }: ActorFinderDeps): Finder {
  let known: { readonly atMs: number; readonly names: ReturnType<JobAuthors["tokenNames"]> } | undefined;

  const tokenNames = (signal: AbortSignal) => {
    const now = clock.elapsed();
    if (known === undefined || now - known.atMs > NAMES_HOLD_MS)
      known = { atMs: now, names: authors.tokenNames(signal) };
    return known.names;
  };
  const named = async (actor: Actor, signal: AbortSignal): Promise<Actor> => {
    const names = await tokenNames(signal).catch(() => (known = undefined));
    const name = names?.get(actor.id);
    return name === undefined || name === "" ? actor : { ...actor, name };
  };
  return {
    what: "actor",
    wants: (change) => isSpecWritten(change) && change.after.value["Stop"] !== true,
    find: async (change, signal) => {
      const { namespace, key: job } = change.ref;
      const accessor = await authors.accessorOf(
        { namespace, job, jobModifyIndex: specIndexOf(change) },
        signal,
      );
      const actor = actorOf(accessor, "job-register");
      return actor === undefined ? "Nomad vouches for nobody" : { actor: await named(actor, signal) };
    },
    without: () => ({}),
  };
}
