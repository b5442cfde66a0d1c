import {
  nomadJobVersionsSchema,
  type NomadJobVersions,
  type NomadJobVersionsAnswer,
} from "../schemas/nomad-job-versions.ts";
import { BodyTooLarge } from "./body.ts";
import { NomadError } from "./errors.ts";
import type { NomadClientOptions } from "./options.ts";
import { Requester, type RequesterDeps } from "./requester.ts";
import type { NomadResponse } from "./requests.ts";
import { isToken, Secret } from "./secret.ts";

interface JobVersionsRequest {
  readonly namespace: string;
  readonly job: string;
  /** In whose name: the feed's own, or a subscriber's; undefined is what the policy "anonymous" grants. */
  readonly as: "feed" | { readonly token: string | undefined };
  /** Whether to say what each changed, as is the default. */
  readonly diffs?: boolean;
}

export interface JobVersionsReader extends AsyncDisposable {
  /** Rejects with a NomadError where Nomad does not answer, also where it refuses the feed's own token. */
  read(request: JobVersionsRequest, signal: AbortSignal): Promise<NomadJobVersionsAnswer>;
}

const NOT_THEIRS = new Set(["NOMAD_FORBIDDEN", "NOMAD_UNAUTHORIZED", "NOMAD_TOKEN_EXPIRED"]);

/**
 * Asks Nomad for a job's versions and what each changed. Has connections of its own, so that blocking queries keep no
 * reader waiting.
 * @throws NomadOptionInvalid
 */
export function createJobVersionsReader(options: NomadClientOptions, deps: RequesterDeps): JobVersionsReader {
  const own = new Requester(options, deps);
  // Without our own token: what a subscriber may see must never be asked for in our name.
  const theirs = new Requester({ ...options, token: { kind: "none" } }, deps);
  return {
    read: async ({ namespace, job, as, diffs = true }, signal) => {
      const asked = {
        path: `/v1/job/${encodeURIComponent(job)}/versions`,
        query: { diffs: String(diffs), namespace },
        capability: "read-job",
        namespace,
        signal,
      };
      try {
        if (as === "feed") return answerOf(await own.send(asked), false);
        if (as.token === undefined) return answerOf(await theirs.send(asked), true);
        if (!isToken(as.token)) return { kind: "none" };
        return answerOf(await theirs.send({ ...asked, token: new Secret(as.token) }), true);
      } catch (error) {
        if (error instanceof NomadError && error.cause instanceof BodyTooLarge) return { kind: "too-large" };
        throw error;
      }
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([own[Symbol.asyncDispose](), theirs[Symbol.asyncDispose]()]);
    },
  };
}

function answerOf(answer: NomadResponse, theirToken: boolean): NomadJobVersionsAnswer {
  const { refusal } = answer;
  if (refusal?.code === "NOMAD_NOT_FOUND") return { kind: "none" };
  if (refusal !== undefined && theirToken && NOT_THEIRS.has(refusal.code)) return { kind: "none" };
  if (refusal !== undefined) throw refusal;
  return { kind: "some", found: parsedVersions(answer) };
}

function parsedVersions(answer: NomadResponse): NomadJobVersions {
  try {
    return nomadJobVersionsSchema.parse(JSON.parse(answer.body.toString("utf8")));
  } catch {
    // The parser's own message quotes what it read, which may hold secrets.
    throw new NomadError(
      "NOMAD_BAD_RESPONSE",
      `${answer.what} at ${answer.address} was answered with no versions of a job`,
      { retryable: true, hint: "Check that the address is of Nomad's HTTP API", status: answer.status },
    );
  }
}
