import { integerText, type JsonObject } from "../../schemas/json.ts";
import { signal, type Signal } from "./signal.ts";
import {
  all,
  appeared,
  became,
  filled,
  inAny,
  isNow,
  lacks,
  moved,
  not,
  numberText,
  roseFromZero,
  vanished,
  was,
  type Transition,
} from "./transition.ts";

const STOPPED = became("Stop", true);
const STARTED = all(was("Stop", true), isNow("Stop", false));
const REVERTED = all(moved(numberText("JobModifyIndex")), submittedEarlier);

export const JOB_SIGNALS: readonly Signal[] = [
  signal("job.registered", "INFO", "A job that was not there before", appeared(lacks(filled("ParentID")))),
  signal(
    "job.child_launched",
    "INFO",
    "A periodic or dispatched job launched a child job",
    appeared(filled("ParentID")),
  ),
  signal(
    "job.updated",
    "INFO",
    "A job was registered again or scaled, and was not stopped before or after",
    all(moved(numberText("JobModifyIndex")), not(STOPPED), not(STARTED), not(REVERTED), isNow("Stop", false)),
  ),
  signal(
    "job.reverted",
    "WARN",
    "A job went back to a version submitted earlier, as after a failed deployment (by hand, in 2.0: job.updated)",
    REVERTED,
  ),
  signal("job.stopped", "INFO", "Somebody stopped the job", STOPPED),
  signal("job.started", "INFO", "A stopped job was started again", STARTED),
  signal(
    "job.pending",
    "INFO",
    "The job waits for its allocations; running services can pass through it",
    became("Status", "pending"),
  ),
  signal("job.running", "INFO", "The job runs", became("Status", "running")),
  signal(
    "job.dead",
    "INFO",
    "Nothing of the job runs; it is final only for a stopped job or a finished batch",
    became("Status", "dead"),
  ),
  signal(
    "job.placement_queued",
    "WARN",
    "Allocations of a group wait for room",
    inAny(["JobSummary", "Summary"], roseFromZero("Queued")),
  ),
  signal(
    "job.purged",
    "WARN",
    "The job is gone, and was not Nomad's to collect",
    vanished(lacks(isCollectable)),
  ),
  signal("job.garbage_collected", "DEBUG", "The job is gone after it had ended", vanished(isCollectable)),
];

/** Nomad's own rule for jobs that garbage collection may take. */
function isCollectable(job: JsonObject): boolean {
  if (job["Periodic"] === true || job["ParameterizedJob"] === true) return job["Stop"] === true;
  if (job["Status"] !== "dead") return false;
  return job["Stop"] === true || job["Type"] === "batch" || job["Type"] === "sysbatch";
}

function submittedEarlier({ before, after }: Transition): boolean {
  const [old, now] = [integerText(before?.["SubmitTime"]), integerText(after?.["SubmitTime"])];
  return old !== undefined && now !== undefined && BigInt(now) < BigInt(old);
}
