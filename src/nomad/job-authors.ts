import { integerText, isJsonObject, stringField, type Json } from "../schemas/json.ts";
import type { NomadClientOptions } from "./options.ts";
import { Requester, type RequesterDeps } from "./requester.ts";
import { parsed } from "./inspection.ts";
import type { NomadResponse } from "./requests.ts";

/** Who registered jobs, as far as Nomad knows. */
export interface JobAuthors extends AsyncDisposable {
  /**
   * Accessor of the token that registered this version of a job; undefined where Nomad does not vouch for one. Rejects
   * with NomadError.
   */
  accessorOf(job: JobVersionRef, signal: AbortSignal): Promise<string | undefined>;
  /** Names of tokens by accessor; undefined where the feed's own token may not list them. Rejects with NomadError. */
  tokenNames(signal: AbortSignal): Promise<ReadonlyMap<string, string> | undefined>;
}

interface JobVersionRef {
  readonly namespace: string;
  readonly job: string;
  /** Index at which its specification was written, in decimal. */
  readonly jobModifyIndex: string;
}

const REFUSED = new Set(["NOMAD_FORBIDDEN", "NOMAD_UNAUTHORIZED", "NOMAD_NOT_FOUND"]);

/**
 * A job keeps the accessor of the token that registered it through whatever else changes it: scaling, stopping, a
 * deployment that reverts. So it is believed only of a version whose evaluation says that it was registered. Has
 * connections of its own, so that blocking queries keep no event waiting.
 * @throws NomadOptionInvalid
 */
export function createJobAuthors(options: NomadClientOptions, deps: RequesterDeps): JobAuthors {
  const requester = new Requester(options, deps);
  const read = async (path: string, namespace: string, signal: AbortSignal): Promise<Json | undefined> =>
    answered(
      await requester.send({
        path,
        query: { namespace },
        capability: "read-job",
        namespace,
        signal,
      }),
    );
  return {
    accessorOf: async ({ namespace, job, jobModifyIndex }, signal) => {
      const path = `/v1/job/${encodeURIComponent(job)}`;
      const found = await read(path, namespace, signal);
      if (!isJsonObject(found) || integerText(found["JobModifyIndex"]) !== jobModifyIndex) return undefined;
      const accessor = stringField(found, "NomadTokenID") ?? "";
      if (accessor === "") return undefined;
      const evaluations = await read(`${path}/evaluations`, namespace, signal);
      return isRegistered(evaluations, jobModifyIndex) ? accessor : undefined;
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

function isRegistered(evaluations: Json | undefined, jobModifyIndex: string): boolean {
  if (!Array.isArray(evaluations)) return false;
  return evaluations
    .filter(isJsonObject)
    .some(
      (evaluation) =>
        integerText(evaluation["JobModifyIndex"]) === jobModifyIndex &&
        evaluation["TriggeredBy"] === "job-register",
    );
}
