import * as groups from "../conditions/groups.ts";
import * as jobs from "../conditions/jobs.ts";
import { MINUTE, rule } from "./define.ts";
import type { AnyRule } from "./rule.ts";

const JOB_PAGE = "jobs/{job}@{namespace}";
const GROUP_LISTS = ["allocations", "deployments", "jobs"] as const;

/**
 * What happened before an allocation failed is told of by the alert about that: it fires on for as long as restarts and
 * kills are counted, so that none of them begins an alert of its own when it ends.
 */
export const JOB_RULES: readonly AnyRule[] = [
  rule({
    name: "JobExhausted",
    on: "group",
    severity: "ERROR",
    forMs: MINUTE,
    keepFiringForMs: 10 * MINUTE,
    atLeast: 1,
    reads: GROUP_LISTS,
    summary: "Nomad gave up on {count allocation} of {job}/{group}: {why}",
    meaning:
      "Allocations failed, were rescheduled, failed again, and no further attempt is due: the reschedule policy of the group is used up. Nothing happens any more until somebody acts.",
    todo: [
      "Look at the last events and the exit code in the alert, then at the logs: `nomad alloc logs -stderr <example>`.",
      "Mend the cause and run the job again; or let Nomad try once more with `nomad job eval -force-reschedule <job>`.",
    ],
    page: JOB_PAGE,
    condition: groups.isExhausted,
  }),
  rule({
    name: "JobFailing",
    on: "group",
    severity: "ERROR",
    forMs: MINUTE,
    keepFiringForMs: 10 * MINUTE,
    atLeast: 1,
    reads: GROUP_LISTS,
    foldsInto: ["JobExhausted"],
    summary: "{count allocation} of {job}/{group} failed, not replaced yet: {why}",
    meaning:
      "A task used up its restarts, so its allocation failed, and Nomad has not replaced it within a minute. One alert for the group, however many allocations fail. Allocations that fail in a rollout are told of by DeploymentFailed, those lost with a node by NodeDown. It ends when the job is stopped; of a batch, periodic or dispatched job also when a later run completes.",
    todo: [
      "Look at the exit code and the last events in the alert. Exit code 137 with out of memory: give the task more memory.",
      "If all fail on one node, look at the node: `nomad node status <node>`.",
      "Read the logs: `nomad alloc logs -stderr <example>`. If a new version did it, go back: `nomad job revert <job> <version>`.",
    ],
    page: JOB_PAGE,
    condition: groups.isFailing,
  }),
  rule({
    name: "JobFlapping",
    on: "group",
    severity: "WARN",
    atLeast: 5,
    withinMs: 10 * MINUTE,
    reads: GROUP_LISTS,
    foldsInto: ["JobExhausted", "JobFailing"],
    summary: "Tasks of {job}/{group} restarted {count time} in 10 minutes",
    meaning:
      "Tasks end and are started again on the spot, more often than they should. The job serves with interruptions. The alert ends when there were fewer restarts for ten minutes.",
    todo: [
      "See why they end: `nomad alloc status <example>` shows the last events of each task.",
      "A template or a check that restarts the task says so in the event's text.",
    ],
    page: JOB_PAGE,
    condition: groups.isFlapping,
  }),
  rule({
    name: "OomKilled",
    on: "group",
    severity: "WARN",
    atLeast: 1,
    withinMs: 10 * MINUTE,
    reads: GROUP_LISTS,
    foldsInto: ["JobExhausted", "JobFailing"],
    summary: "A task of {job}/{group} ran out of memory and was killed ({count time} in 10 minutes)",
    meaning:
      "The kernel killed a task that used more memory than it may. It was restarted; unless it needs less, it will happen again.",
    todo: [
      "Compare what it uses with what it has: `nomad alloc status -stats <example>`. Raise `memory`, or set `memory_max`.",
      "If it grows without end, it is a leak: restart it and tell its owners.",
    ],
    page: JOB_PAGE,
    condition: groups.ranOutOfMemory,
  }),
  rule({
    name: "DeploymentFailed",
    on: "job",
    severity: "ERROR",
    reads: ["deployments", "jobs"],
    summary: "The deployment of {job} version {version} failed: {why}",
    meaning:
      "The last deployment of the job that came to an end failed. What fails in it, however many allocations, belongs to this alert. It ends when a deployment of the job succeeds, when the job is stopped, or when Nomad forgets the deployment (an hour later by default).",
    todo: [
      "Nomad's own words are in the alert. If they say that it rolls back, the former version is on its way: see that it succeeds.",
      "Else go back by hand: `nomad job revert <job> <version>`, or mend the job and run it again.",
    ],
    page: `${JOB_PAGE}/deployments`,
    condition: jobs.deploymentFailed,
  }),
  rule({
    name: "DeploymentStuck",
    on: "job",
    severity: "WARN",
    forMs: 5 * MINUTE,
    reads: ["deployments", "jobs"],
    summary: "The deployment of {job} version {version} goes on past its deadline ({healthy} healthy)",
    meaning:
      "The progress deadline of the deployment is over, and Nomad has neither finished nor failed it. A deployment that waits for a promotion, or is paused, is not meant.",
    todo: [
      "See what is missing: `nomad deployment status <deployment>`; allocations that find no node have PlacementBlocked.",
      "End it: `nomad deployment fail <deployment>`.",
    ],
    page: `${JOB_PAGE}/deployments`,
    condition: jobs.deploymentStuck,
  }),
  rule({
    name: "DeploymentNeedsPromotion",
    on: "job",
    severity: "INFO",
    reads: ["deployments", "jobs"],
    summary: "The canaries of {job} version {version} are healthy and wait for a promotion",
    meaning: "The deployment goes on when somebody promotes it, and not before.",
    todo: [
      "Look at the canaries, then `nomad deployment promote <deployment>` or `nomad deployment fail <deployment>`.",
    ],
    page: `${JOB_PAGE}/deployments`,
    condition: jobs.needsPromotion,
  }),
  rule({
    name: "PlacementBlocked",
    on: "job",
    severity: "WARN",
    forMs: 2 * MINUTE,
    reads: ["evaluations", "jobs"],
    summary: "Allocations of {job} find no place: {why}",
    meaning:
      "An evaluation of the job is blocked: Nomad has more to place than it has room for. The reasons are Nomad's own: what is exhausted, which constraints exclude nodes, which quota is used up.",
    todo: [
      "Exhausted: add nodes, or free what is not needed. A constraint that excludes all nodes: look for a typing error in the job.",
      "`nomad job status <job>` shows the placement failures of each group.",
    ],
    page: JOB_PAGE,
    condition: jobs.isBlocked,
  }),
  rule({
    name: "JobOverdue",
    on: "job",
    severity: "ERROR",
    reads: ["jobs"],
    foldsInto: ["JobExhausted", "JobFailing"],
    summary:
      "The periodic job {job} has not been launched since {lastLaunch}; expected within {expectedWithin}",
    meaning: `A periodic job was not launched in time. Lists do not hold its schedule, so the feed expects it within twice the longest pause of its last eight launches. Set \`longerThan\` for the job where that is not what you mean. A launch that fails has JobFailing.`,
    todo: [
      "See whether it may run: `prohibit_overlap` holds it back while a former run has not ended.",
      "Launch it by hand: `nomad job periodic force <job>`.",
    ],
    page: JOB_PAGE,
    condition: jobs.isOverdue,
  }),
];
