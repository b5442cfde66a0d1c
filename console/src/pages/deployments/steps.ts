import type { FeedEvent } from "nomad-changefeed-client";
import { placementReasons } from "../../words/placement.ts";
import { factsOf, isChange, type EventFacts, type FeedItem } from "../../feed/event-facts.ts";

/** A step of a rollout. */
export interface Step {
  readonly event: EventFacts;
  /** "placed", "healthy", "promoted": what happened, as one says it of a rollout. */
  readonly words: string;
  /** How far it has come, where, or why. */
  readonly detail: string;
  /** What it happened to. */
  readonly kind: "deployment" | "allocation" | "evaluation" | "job";
  readonly tone: "plain" | "ok" | "warn" | "error";
}

interface Rollout {
  readonly subject: string;
  readonly job: string;
  readonly version: number;
}

type Stub = Readonly<Record<string, unknown>>;
type Change = { readonly path: string; readonly from?: unknown; readonly to?: unknown };

/** What an event means for the rollout; undefined: nothing. */
export function stepOf(event: FeedEvent | FeedItem, rollout: Rollout): Step | undefined {
  if (!isChange(event)) return undefined;
  const facts = factsOf(event);
  const data = event.data as ChangeParts;
  const told = toldOf(facts, data, rollout);
  return told && { event: facts, kind: facts.resource.slice(0, -1) as Step["kind"], ...told };
}

interface ChangeParts {
  readonly after?: Stub | undefined;
  readonly changes?: readonly Change[] | undefined;
}

type Told = Pick<Step, "words" | "tone" | "detail">;

function toldOf(facts: EventFacts, data: ChangeParts, rollout: Rollout): Told | undefined {
  switch (facts.resource) {
    case "deployments":
      return facts.subject === rollout.subject ? deploymentStep(facts, data) : undefined;
    case "allocations":
      return allocationStep(facts, data, rollout);
    case "evaluations":
      return evaluationStep(facts, data);
    case "jobs":
      return facts.aspect === "spec" && facts.op !== "delete"
        ? { words: "job registered", tone: "plain", detail: facts.op === "version" ? facts.detail : "" }
        : undefined;
    default:
      return undefined;
  }
}

function deploymentStep(
  { op, what, detail, severity }: EventFacts,
  { after }: ChangeParts,
): Told | undefined {
  if (op !== "create" && detail === "bookkeeping only") return undefined;
  const progress = progressOf(after);
  if (op === "create") return { words: "deployment began", tone: "plain", detail: progress };
  const ended = typeof after?.["StatusDescription"] === "string" ? after["StatusDescription"] : "";
  const isMilestone = what !== "progressed";
  return {
    words: what,
    tone: what === "succeeded" || what === "promoted" ? "ok" : toneOf(severity),
    detail: isMilestone && ended !== "" ? ended : progress,
  };
}

function toneOf(severity: string): Step["tone"] {
  if (severity === "ERROR" || severity === "FATAL") return "error";
  return severity === "WARN" ? "warn" : "plain";
}

/** `3 of 5 healthy, 4 placed` */
function progressOf(after: Stub | undefined): string {
  const groups = Object.values((after?.["TaskGroups"] ?? {}) as Record<string, Record<string, number>>);
  const sum = (name: string) => groups.reduce((total, group) => total + (group[name] ?? 0), 0);
  if (groups.length === 0) return "";
  const unhealthy = sum("UnhealthyAllocs");
  const words = [
    `${sum("HealthyAllocs")} of ${sum("DesiredTotal")} healthy`,
    `${sum("PlacedAllocs")} placed`,
  ];
  return [...words, ...(unhealthy > 0 ? [`${unhealthy} unhealthy`] : [])].join(", ");
}

function allocationStep(facts: EventFacts, data: ChangeParts, { version }: Rollout): Told | undefined {
  const { after, changes = [] } = data;
  if (after === undefined) return undefined;
  const where = typeof after["NodeName"] === "string" ? `on ${after["NodeName"]}` : "";
  if (after["JobVersion"] !== version) {
    const stops = changes.some(({ path, to }) => path === "/DesiredStatus" && to === "stop");
    return stops ? { words: "old one told to stop", tone: "plain", detail: where } : undefined;
  }
  const health = (after["DeploymentStatus"] ?? {}) as {
    readonly Canary?: boolean;
    readonly Healthy?: boolean;
  };
  if (facts.op === "create") {
    return { words: health.Canary === true ? "canary placed" : "placed", tone: "plain", detail: where };
  }
  const status = changes.find(({ path }) => path === "/ClientStatus")?.to;
  if (status === "failed" || status === "lost") {
    return { words: status, tone: "error", detail: facts.detail };
  }
  const wasJudged = changes.some(({ path }) => /^\/DeploymentStatus(\/Healthy)?$/.test(path));
  if (wasJudged && health.Healthy === true) return { words: "healthy", tone: "ok", detail: where };
  if (wasJudged && health.Healthy === false) return { words: "unhealthy", tone: "warn", detail: where };
  if (typeof status === "string") return { words: status, tone: "plain", detail: where };
  if (facts.signals.length === 0) return undefined;
  return { words: facts.what, tone: toneOf(facts.severity), detail: facts.detail };
}

function evaluationStep({ signals, what }: EventFacts, { after }: ChangeParts): Told | undefined {
  if (!signals.some((signal) => /blocked|failed/.test(signal))) return undefined;
  return { words: what, tone: "warn", detail: after === undefined ? "" : placementReasons(after).join("; ") };
}
