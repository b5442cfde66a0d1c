import { UsageError } from "../support/usage-error.ts";

export const GOALS = ["healthy", "needs-promotion", "complete"] as const;
type Goal = (typeof GOALS)[number];

/** What is waited for. */
export interface Wanted {
  readonly of: "deployment" | "job";
  /** Name of the job; null where a deployment is named by its id. */
  readonly job: string | null;
  /** Beginning of the deployment's id. */
  readonly deployment: string | null;
  readonly namespace: string;
  /** Of the job; null: the newest that the feed knows. */
  readonly version: number | null;
  /** Beginning of the id of the evaluation that the registration made. */
  readonly evaluation: string | null;
  readonly goal: Goal;
}

export interface WantedFlags {
  readonly namespace: string;
  readonly version?: string | undefined;
  readonly evaluation?: string | undefined;
  readonly for: string;
}

const ID = /^[0-9a-f]{8}(?:-[0-9a-f-]{0,27})?$/u;

/**
 * A deployment is named by its job, or by its id or the first 8 digits of it and more.
 * @throws UsageError
 */
export function wantedOf(of: string, name: string, flags: WantedFlags): Wanted {
  if (of !== "deployment" && of !== "job")
    throw new UsageError(`${JSON.stringify(of)} cannot be waited for; allowed: deployment, job`);
  const goal = GOALS.find((known) => known === flags.for);
  if (goal === undefined)
    throw new UsageError(`--for: ${JSON.stringify(flags.for)} is not allowed; allowed: ${GOALS.join(", ")}`);
  const { namespace, version, evaluation } = flags;
  if (version !== undefined && !/^\d{1,9}$/u.test(version))
    throw new UsageError(`--job-version: ${JSON.stringify(version)} is not allowed; allowed: a whole number`);
  if (evaluation !== undefined && !ID.test(evaluation))
    throw new UsageError(
      `--evaluation: ${JSON.stringify(evaluation)} is not allowed; allowed: an id, or its first 8 digits and more`,
    );
  const isId = of === "deployment" && ID.test(name);
  if (isId && (version ?? evaluation) !== undefined)
    throw new UsageError(
      `${name} is the id of a deployment, which has one version: leave out --job-version and --evaluation`,
    );
  return {
    of,
    job: isId ? null : name,
    deployment: isId ? name : null,
    namespace,
    version: version === undefined ? null : Number(version),
    evaluation: evaluation ?? null,
    goal,
  };
}

/** Whether the version is named, so that no other can be taken for it. */
export function isNamed({ deployment, version, evaluation }: Wanted): boolean {
  return deployment !== null || version !== null || evaluation !== null;
}

/** What of the feed has to do with it, in the filters' language. */
export function filterOf({ job, deployment }: Wanted): string {
  return job === null
    ? `resource.id matches "^${deployment ?? ""}"`
    : `resource.job == ${JSON.stringify(job)}`;
}
