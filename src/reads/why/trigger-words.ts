/** What made Nomad evaluate a job, by an evaluation's TriggeredBy: a sentence without its end. */
const TRIGGERS: ReadonlyMap<string, string> = new Map([
  ["job-register", "it was registered or updated"],
  ["job-deregister", "it was stopped or purged"],
  ["job-scaling", "its count was set"],
  ["periodic-job", "its schedule launched it"],
  ["node-update", "a node that it uses, or could use, changed"],
  ["node-drain", "a node that it runs on is drained"],
  ["alloc-stop", "somebody stopped an allocation of it"],
  ["alloc-failure", "an allocation of it failed and is to be placed again"],
  ["alloc-reschedule", "an allocation of it that failed was due to be placed again"],
  ["retry-failed-alloc", "an allocation of it failed and is to be placed again"],
  ["alloc-lost", "an allocation of it was lost"],
  ["deployment-watcher", "its deployment went on"],
  ["failed-follow-up", "an evaluation before had failed"],
  ["max-plan-attempts", "plans before collided with others too often"],
  ["rolling-update", "its rolling update went on"],
  ["queued-allocs", "allocations of it wait for room"],
  ["preemption", "an allocation of it had to make room for others"],
  ["max-disconnect-timeout", "a node with an allocation of it was away for too long"],
  ["reconnect", "a node with an allocation of it came back"],
  ["scheduled", "a run of it was due"],
]);

/** "job web was evaluated because it was registered or updated" */
export function triggerWords(trigger: string, job: string): string {
  const why = TRIGGERS.get(trigger) ?? `of ${trigger === "" ? "something Nomad does not name" : trigger}`;
  return `job ${job} was evaluated because ${why}`;
}
