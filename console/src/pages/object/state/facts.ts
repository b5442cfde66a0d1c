import { text, type Stub } from "../stubs.ts";

export type Tone = "ok" | "info" | "warn" | "error" | "plain";

/** What state an object is in, in a word. */
export interface StateWord {
  readonly word: string;
  readonly tone: Tone;
  /** Nomad's own words for it. */
  readonly why: string;
}

const BAD = new Set(["failed", "lost", "down", "disconnected", "unknown"]);
const WAITING = new Set(["pending", "blocked", "initializing", "paused", "unblocking", "draining"]);
const GOOD = new Set(["running", "ready", "successful", "complete"]);

/** The state of an object of this resource. */
export function stateWord(resource: string, stub: Stub): StateWord {
  const status = text(stub, resource === "allocations" ? "ClientStatus" : "Status");
  const why = text(stub, resource === "allocations" ? "ClientDescription" : "StatusDescription");
  if (isSettled(resource, stub)) return { word: status, tone: "plain", why };
  if (resource === "namespaces") return { word: "", tone: "plain", why: text(stub, "Description") };
  if (resource === "nodes" && status === "ready" && stub["Drain"] === true) {
    return { word: "draining", tone: "warn", why };
  }
  return { word: status, tone: toneOf(status), why };
}

/** What ended and is not wanted any more is not wrong now, however it ended. */
export function isSettled(resource: string, stub: Stub): boolean {
  if (resource === "allocations") {
    const isDone = !["pending", "running", "unknown"].includes(text(stub, "ClientStatus"));
    return isDone && (text(stub, "DesiredStatus") !== "run" || text(stub, "NextAllocation") !== "");
  }
  return resource === "deployments" && text(stub, "Status") === "cancelled";
}

export function toneOf(status: string): Tone {
  if (BAD.has(status)) return "error";
  if (WAITING.has(status)) return "warn";
  return GOOD.has(status) ? "ok" : "plain";
}

/** What is worth reading of an object before the whole of it: names and members, in this order. */
const FIELDS: Readonly<Record<string, readonly (readonly [label: string, field: string])[]>> = {
  allocations: [
    ["Wanted", "DesiredStatus"],
    ["Why", "DesiredDescription"],
    ["Job", "JobID"],
    ["Job version", "JobVersion"],
    ["Group", "TaskGroup"],
    ["Node", "NodeID"],
    ["Evaluation", "EvalID"],
    ["Follow-up evaluation", "FollowupEvalID"],
    ["Next allocation", "NextAllocation"],
    ["Preempted by", "PreemptedByAllocation"],
    ["Created", "CreateTime"],
  ],
  jobs: [
    ["Type", "Type"],
    ["Priority", "Priority"],
    ["Stopped by an operator", "Stop"],
    ["Node pool", "NodePool"],
    ["Parent", "ParentID"],
    ["Submitted", "SubmitTime"],
  ],
  nodes: [
    ["Eligibility", "SchedulingEligibility"],
    ["Address", "Address"],
    ["Datacenter", "Datacenter"],
    ["Node pool", "NodePool"],
    ["Class", "NodeClass"],
    ["Nomad", "Version"],
  ],
  deployments: [
    ["Job", "JobID"],
    ["Job version", "JobVersion"],
    ["Created", "CreateTime"],
  ],
  evaluations: [
    ["Triggered by", "TriggeredBy"],
    ["Job", "JobID"],
    ["Node", "NodeID"],
    ["Deployment", "DeploymentID"],
    ["Previous evaluation", "PreviousEval"],
    ["Next evaluation", "NextEval"],
    ["Blocked evaluation", "BlockedEval"],
    ["Priority", "Priority"],
    ["Created", "CreateTime"],
  ],
  namespaces: [
    ["Description", "Description"],
    ["Quota", "Quota"],
  ],
};

export interface Fact {
  readonly label: string;
  readonly field: string;
  readonly value: unknown;
}

/** What there is of them; what is empty or "false" is left out. */
export function factsAbout(resource: string, stub: Stub): Fact[] {
  return (FIELDS[resource] ?? []).flatMap(([label, field]) => {
    const value = stub[field];
    return value === undefined || value === null || value === "" || value === false
      ? []
      : [{ label, field, value }];
  });
}
