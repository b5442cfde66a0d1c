import { integerText, isJsonObject, stringField, type Json } from "../schemas/json.ts";
import type { NomadClientOptions } from "./options.ts";
import { Requester, type RequesterDeps } from "./requester.ts";
import { parsed } from "./inspection.ts";
import type { NomadResponse } from "./requests.ts";

/** Who registered jobs, as far as Nomad knows. */
export interface JobAuthors extends AsyncDisposable {
  /**
   * Raft indexes, in decimal, at which versions of a job were written by a registration, as its evaluations say; none
   * where they may not be read. Rejects with NomadError.
   */
  registrations(job: JobRef, signal: AbortSignal): Promise<ReadonlySet<string>>;
  /** Names of tokens by accessor; undefined where the feed's own token may not list them. Rejects with NomadError. */
  tokenNames(signal: AbortSignal): Promise<ReadonlyMap<string, string> | undefined>;
}

interface JobRef {
  readonly namespace: string;
  readonly job: string;
}

const REFUSED = new Set(["NOMAD_FORBIDDEN", "NOMAD_UNAUTHORIZED", "NOMAD_NOT_FOUND"]);

/**
 * Has connections of its own, so that blocking queries keep no event waiting.
 * @throws NomadOptionInvalid
 */
export function createJobAuthors(options: NomadClientOptions, deps: RequesterDeps): JobAuthors {
  const requester = new Requester(options, deps);
  return {
    registrations: async ({ namespace, job }, signal) => {
      const evaluations = answered(
        await requester.send({
          path: `/v1/job/${encodeURIComponent(job)}/evaluations`,
          query: { namespace },
          capability: "read-job",
          namespace,
          signal,
        }),
      );
      return registrationsIn(evaluations);
    },
    tokenNames: async (signal) => {
      const listed = answered(await requester.send({ path: "/v1/acl/tokens", signal }));
      if (!Array.isArray(listed)) return undefined;
      const named = listed.filter(isJsonObject);
      return new Map(
        named.map((token) => [stringField(token, "AccessorID") ?? "", stringField(token, "Name") ?? ""]),
      );
    },
    [Symbol.asyncDispose]: () => requester[Symbol.asyncDispose](),
  };
}

/** Undefined where it is refused, or there is none. @throws NomadError */
function answered(answer: NomadResponse): Json | undefined {
  const { refusal } = answer;
  if (refusal === undefined) return parsed(answer);
  // Without ACLs there are no tokens.
  if (REFUSED.has(refusal.code) || refusal.status === 400) return undefined;
  throw refusal;
}

function registrationsIn(evaluations: Json | undefined): ReadonlySet<string> {
  const all = Array.isArray(evaluations) ? evaluations.filter(isJsonObject) : [];
  const registered = all.filter(({ TriggeredBy }) => TriggeredBy === "job-register");
  return new Set(registered.flatMap(({ JobModifyIndex }) => integerText(JobModifyIndex) ?? []));
}
