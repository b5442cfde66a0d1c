import { actorOf } from "../../events/actor.ts";
import type { KeptVersion } from "../../events/spec/versions-in.ts";
import type { JobAuthors } from "../../nomad/job-authors.ts";
import type { Actor } from "../../schemas/event-schema.ts";
import type { Clock } from "../../shared/clock.ts";
import type { ReadVersions } from "./changed-versions.ts";
import { isSpecWritten, type Finder } from "./finder.ts";

interface ActorFinderDeps {
  readonly versionsOf: ReadVersions;
  readonly authors: Pick<JobAuthors, "registrations" | "tokenNames">;
  readonly clock: Pick<Clock, "elapsed">;
}

const NAMES_HOLD_MS = 60_000;

/**
 * Who registered a job's version, and those that it passed over: `--enrich actor`. A version keeps the accessor of the one
 * before through whatever else changes the job: scaling, stopping, a deployment that reverts. So it is believed only where
 * an evaluation says that the version was registered. Who stopped it Nomad does not say.
 */
export function actorFinder({ versionsOf, authors, clock }: ActorFinderDeps): Finder {
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
    wants: isSpecWritten,
    find: async (change, signal) => {
      const { namespace, key: job } = change.ref;
      const versions = await versionsOf(change, signal);
      if (typeof versions === "string") return versions;
      const { current, skipped } = versions;
      const isSigned = [current, ...skipped].some((kept) => signerOf(kept) !== undefined);
      const registered = isSigned ? await authors.registrations({ namespace, job }, signal) : undefined;
      const by = async (kept: KeptVersion): Promise<{ readonly actor?: Actor }> => {
        const actor = registered?.has(kept.index) === true ? signerOf(kept) : undefined;
        return actor === undefined ? {} : { actor: await named(actor, signal) };
      };
      const { actor } = await by(current);
      if (actor === undefined && skipped.length === 0) return "Nomad vouches for nobody";
      const passed = await Promise.all(skipped.map(async (kept) => ({ kept, found: await by(kept) })));
      return { ...(actor && { actor }), skipped: passed };
    },
    without: () => ({}),
  };
}

/** Nobody of a version that stops the job: it has the accessor of whoever registered the one before. */
function signerOf({ version: { NomadTokenID, Stop } }: KeptVersion): Actor | undefined {
  return Stop === true ? undefined : actorOf(NomadTokenID, "job-register");
}
