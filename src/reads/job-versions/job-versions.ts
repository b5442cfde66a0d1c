import { createHash } from "node:crypto";
import { changesOf } from "../../events/spec/changes.ts";
import { redactedChange, type Redact } from "../../events/spec/redacted-change.ts";
import type { JobVersion, JobVersionList } from "../../schemas/job-versions-schema.ts";
import type { NomadJobVersions, NomadJobVersionsAnswer } from "../../schemas/nomad-job-versions.ts";
import { ChangefeedError } from "../../schemas/errors.ts";
import { deadlineOf, type Clock } from "../../shared/clock.ts";
import { TokenBucket } from "../../shared/token-bucket.ts";
import { timeOfNanos } from "../../shared/nanos.ts";
import { AnswerTooLarge, NoJob, TooManyQuestions, UpstreamUnavailable } from "./errors.ts";
import { KeptAnswers } from "./kept-answers.ts";

/** In whose name Nomad is asked: in the feed's own, or in that of a token that Nomad knows. */
export type Asker = "feed" | { readonly token: string | undefined };

export interface WantedJob {
  readonly namespace: string;
  readonly job: string;
}

export interface JobVersionsDeps {
  /** Asks Nomad. Rejects where it does not answer. */
  readonly ask: (
    wanted: WantedJob & { readonly as: Asker },
    signal: AbortSignal,
  ) => Promise<NomadJobVersionsAnswer>;
  /** Whether the feed has such a job. */
  readonly knows: (wanted: WantedJob) => Promise<boolean>;
  /** Takes out of texts about a job what the configuration says must not leave; a `path` says where they stand in it. */
  readonly redact: <Texts extends object>(namespace: string, texts: Texts) => Texts;
  /** Largest answer that `ask` takes, for the message. */
  readonly maxBytes: number;
  readonly clock: Clock;
}

const FRESH_MS = 5000;
const ANSWER_WITHIN_MS = 15_000;
/** Questions to log and Nomad in a second, of all readers together. */
const RATE = { perSecond: 10, burst: 30 };
const MAX_AT_ONCE = 30;

/**
 * The versions of a job and what each changed, read from Nomad when somebody asks: once for all who ask at the same
 * time in the same name, and then kept for 5 s.
 */
export class JobVersions {
  readonly #deps: JobVersionsDeps;
  readonly #bucket: TokenBucket;
  readonly #kept: KeptAnswers<JobVersionList | undefined>;
  readonly #asking = new Map<string, Promise<JobVersionList | undefined>>();

  constructor(deps: JobVersionsDeps) {
    this.#deps = deps;
    this.#bucket = new TokenBucket(RATE, deps.clock);
    this.#kept = new KeptAnswers({ freshMs: FRESH_MS, clock: deps.clock });
  }

  /**
   * In the feed's name only of jobs that the feed itself has: its token may see more than it watches.
   * @throws NoJob, AnswerTooLarge, UpstreamUnavailable, TooManyQuestions
   */
  async read(wanted: WantedJob, as: Asker): Promise<JobVersionList> {
    const { namespace, job } = wanted;
    if (!canBeId(job)) throw new NoJob(namespace, job);
    const key = JSON.stringify([nameOf(as), namespace, job]);
    const kept = this.#kept.get(key);
    const found = kept === undefined ? await this.#once(key, wanted, as) : kept.answer;
    if (found === undefined) throw new NoJob(namespace, job);
    return this.#redacted(found);
  }

  #once(key: string, wanted: WantedJob, as: Asker): Promise<JobVersionList | undefined> {
    const going = this.#asking.get(key);
    if (going !== undefined) return going;
    if (this.#asking.size >= MAX_AT_ONCE || !this.#bucket.tryTake()) throw new TooManyQuestions();
    const asked = this.#ask(wanted, as)
      .then((answer) => {
        this.#kept.keep(key, answer);
        return answer;
      })
      .finally(() => this.#asking.delete(key));
    this.#asking.set(key, asked);
    return asked;
  }

  async #ask({ namespace, job }: WantedJob, as: Asker): Promise<JobVersionList | undefined> {
    const { ask, clock, knows, maxBytes } = this.#deps;
    if (as === "feed" && !(await knows({ namespace, job }))) return undefined;
    using deadline = deadlineOf(clock, ANSWER_WITHIN_MS);
    const readAt = new Date(clock.now()).toISOString();
    const answer = await ask({ namespace, job, as }, deadline.signal).catch((error: unknown) => {
      if (error instanceof ChangefeedError || deadline.signal.aborted) throw new UpstreamUnavailable(error);
      throw error;
    });
    if (answer.kind === "too-large") throw new AnswerTooLarge(maxBytes);
    if (answer.kind === "none") return undefined;
    return { job, namespace, versions: versionsOf(answer.found), readAt };
  }

  #redacted(found: JobVersionList): JobVersionList {
    const redact: Redact = (texts) => this.#deps.redact(found.namespace, texts);
    return { ...found, versions: found.versions.map((version) => redactedVersion(version, redact)) };
  }
}

function redactedVersion({ diff, versionTag, ...own }: JobVersion, redact: Redact): JobVersion {
  return {
    ...own,
    ...(versionTag !== undefined && { versionTag: redactedTag(versionTag, redact) }),
    diff: diff && { ...diff, changes: diff.changes.map((change) => redactedChange(change, redact)) },
  };
}

type VersionTag = NonNullable<JobVersion["versionTag"]>;

function redactedTag({ taggedAt, ...texts }: VersionTag, redact: Redact): VersionTag {
  return { ...redact(texts), taggedAt };
}

function versionsOf({ Versions, Diffs }: NomadJobVersions): JobVersion[] {
  const versions = Versions.map((version, at): JobVersion => {
    const diff = Diffs[at];
    const { VersionTag: tag } = version;
    return {
      version: version.Version,
      submittedAt: timeOfNanos(version.SubmitTime ?? 0) ?? null,
      stable: version.Stable === true,
      stopped: version.Stop === true,
      ...(version.Status != null && { status: version.Status }),
      ...(tag != null && {
        versionTag: {
          name: tag.Name,
          description: tag.Description ?? "",
          taggedAt: timeOfNanos(tag.TaggedTime ?? 0) ?? null,
        },
      }),
      diff: diff === undefined ? null : changesOf(diff),
    };
  });
  return versions.toSorted((a, b) => b.version - a.version);
}

/** No token is a key. */
function nameOf(as: Asker): string {
  if (as === "feed") return "feed";
  return as.token === undefined ? "anonymous" : createHash("sha256").update(as.token).digest("base64");
}

/** Nomad's server tidies a path before it looks at it: what it would make another path of is no job's id. */
function canBeId(job: string): boolean {
  // oxlint-disable-next-line no-control-regex
  if (/[\0-\x20]/.test(job)) return false;
  return job.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}
