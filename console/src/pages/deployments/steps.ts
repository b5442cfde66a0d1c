import type { FeedEvent } from "nomad-changefeed-client";
import { factsOf, isChange, type EventFacts, type FeedItem } from "../../feed/event-facts.ts";

/** A step of a rollout. */
export interface Step {
  readonly event: EventFacts;
  /** "placed", "healthy", "promoted": what happened, as one says it of a rollout. */
  readonly words: string;
  /** What it happened to. */
  readonly kind: "deployment" | "allocation" | "evaluation" | "job";
  readonly tone: "plain" | "ok" | "warn" | "error";
}

interface Rollout {
  readonly subject: string;
  readonly job: string;
  readonly version: number;
}

type Change = { readonly path: string; readonly from?: unknown; readonly to?: unknown };

/** What an event means for the rollout; undefined: nothing. */
export function stepOf(event: FeedEvent | FeedItem, rollout: Rollout): Step | undefined {
  if (!isChange(event)) return undefined;
  const facts = factsOf(event);
  const { data } = event;
  const told = (() => {
    switch (facts.resource) {
      case "deployments":
        return facts.subject === rollout.subject ? deploymentStep(facts) : undefined;
      case "allocations":
        return allocationStep(facts, data, rollout);
      case "evaluations":
        return evaluationStep(facts);
      case "jobs":
        return facts.aspect === "spec" && facts.op !== "delete"
          ? { words: "job registered", tone: "plain" as const }
          : undefined;
      default:
        return undefined;
    }
  })();
  return told && { event: facts, kind: facts.resource.slice(0, -1) as Step["kind"], ...told };
}

type Told = Pick<Step, "words" | "tone">;

function deploymentStep({ op, what, detail, severity }: EventFacts): Told | undefined {
  if (op === "create") return { words: "deployment began", tone: "plain" };
  if (detail === "bookkeeping only") return undefined;
  const tone =
    severity === "ERROR" || severity === "FATAL" ? "error" : severity === "WARN" ? "warn" : "plain";
  return { words: what, tone: what === "successful" || what === "promoted" ? "ok" : tone };
}

function allocationStep(
  { op, detail, what }: EventFacts,
  data: object,
  { version }: Rollout,
): Told | undefined {
  const { after, changes = [] } = data as {
    readonly after?: Readonly<Record<string, unknown>>;
    readonly changes?: readonly Change[];
  };
  if (after === undefined) return undefined;
  const isOfRollout = after["JobVersion"] === version;
  if (!isOfRollout) {
    const stops = changes.some(({ path, to }) => path === "/DesiredStatus" && to === "stop");
    return stops ? { words: "old one told to stop", tone: "plain" } : undefined;
  }
  if (op === "create") {
    const health = after["DeploymentStatus"] as { readonly Canary?: boolean } | null | undefined;
    return { words: health?.Canary === true ? "canary placed" : "placed", tone: "plain" };
  }
  const changedTo = (path: string) => changes.find((change) => change.path === path && "to" in change);
  const status = changedTo("/ClientStatus")?.to;
  const health = changes.find(({ path }) => path.startsWith("/DeploymentStatus"));
  if (status === "failed" || status === "lost") return { words: status, tone: "error" };
  if (health !== undefined) {
    const isHealthy = (after["DeploymentStatus"] as { readonly Healthy?: boolean | null } | null)?.Healthy;
    if (isHealthy === true) return { words: "healthy", tone: "ok" };
    if (isHealthy === false) return { words: "unhealthy", tone: "warn" };
  }
  if (typeof status === "string") return { words: status, tone: "plain" };
  if (what !== "updated" && detail !== "bookkeeping only") return { words: what, tone: "plain" };
  return undefined;
}

function evaluationStep({ signals, what }: EventFacts): Told | undefined {
  return signals.some((signal) => /blocked|failed/.test(signal)) ? { words: what, tone: "warn" } : undefined;
}
