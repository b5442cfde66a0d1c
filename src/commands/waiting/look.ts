import { deploymentStanding } from "./deployment-standing.ts";
import { jobStanding } from "./job-standing.ts";
import type { Known } from "./known.ts";
import type { Standing } from "./standing.ts";
import { isNamed, type Wanted } from "./wanted.ts";

/** @param wasThere whether the job was known before. */
export function standingOf(known: Known, wanted: Wanted, wasThere: boolean): Standing {
  const { deployment } = known;
  if (deployment !== undefined) return deploymentStanding(deployment, known, wanted);
  const said = absence(known, wanted, wasThere) ?? jobStanding(known, wanted);
  const outcome = said.outcome && { ...said.outcome, isSure: said.outcome.isSure && isNamed(wanted) };
  return { ...said, outcome };
}

/** Where there is nothing yet that could be said, or nothing any more. */
function absence({ job, evaluations }: Known, wanted: Wanted, wasThere: boolean): Standing | undefined {
  const nothing = { subject: nameOf(wanted), version: wanted.version, deployment: null, groups: {} };
  if (job === undefined && wasThere) {
    const why = `${nameOf(wanted)} was purged`;
    return { ...nothing, status: "gone", note: "", outcome: { end: "failed", why, isSure: false } };
  }
  const note = `not known to the feed yet`;
  if (job === undefined) return { ...nothing, status: "unknown", note, outcome: undefined };
  if (wanted.evaluation === null || evaluations.length > 0) return undefined;
  return {
    ...nothing,
    status: "unknown",
    note: `evaluation ${wanted.evaluation} is ${note}`,
    outcome: undefined,
  };
}

function nameOf({ job, deployment, namespace }: Wanted): string {
  if (job === null) return `deployment ${deployment ?? ""}`;
  return namespace === "default" ? `job ${job}` : `job ${job} in ${namespace}`;
}
