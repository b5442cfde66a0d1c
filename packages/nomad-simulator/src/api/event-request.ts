import type { Access } from "../acl/access.ts";
import type { SubscriptionRequest } from "../events/subscription.ts";
import { accessFor, type ApiContext } from "./context.ts";
import type { ApiRequest, BadRequest } from "./request.ts";

/** What only `/v1/event/stream` reads of its query. */
export interface EventQuery {
  /** Of the first frame, itself included; 0: the oldest. */
  readonly index: bigint;
  readonly topics: ReadonlyMap<string, readonly string[]>;
}

const NAMESPACED = new Set(["Deployment", "Evaluation", "Allocation", "Job", "Service", "CSIPlugin"]);

export function parseEventQuery(query: URLSearchParams): EventQuery | BadRequest {
  const index = query.get("index") || "0";
  if (!/^[+-]?\d+$/.test(index)) {
    return {
      badRequest: `Unable to parse index: strconv.Atoi: parsing ${JSON.stringify(index)}: invalid syntax`,
    };
  }
  const topics = new Map<string, string[]>();
  for (const topic of query.has("topic") ? query.getAll("topic") : ["*"]) {
    const [name = "", key = "*", ...rest] = topic.split(":");
    if (rest.length > 0) {
      const why = `Invalid key value pair for topic, topic: ${topic}`;
      return { badRequest: `Invalid topic query: error parsing topics: ${why}` };
    }
    topics.set(name, [...(topics.get(name) ?? []), key]);
  }
  return { index: BigInt(index), topics };
}

/** What the request subscribes to, or undefined where it may not. `*` needs the right in every namespace there is. */
export function subscriptionOf(
  context: ApiContext,
  request: ApiRequest,
  { topics }: EventQuery,
): SubscriptionRequest | undefined {
  const asAgent = { ...request, stale: true };
  const namespaces = (): string[] => {
    if (request.namespace !== "*") return [request.namespace];
    return [...context.raft.follower.state.tables.namespaces.values()].map(({ key }) => key);
  };
  const authorised = (): boolean => {
    const access = accessFor(context, asAgent);
    return (
      access !== undefined && namespaces().every((namespace) => maySee(access, namespace, topics.keys()))
    );
  };
  const expired = (): boolean => accessFor(context, asAgent) === undefined;
  return authorised() ? { topics, namespaces: new Set(namespaces()), authorised, expired } : undefined;
}

function maySee(access: Access, namespace: string, topics: Iterable<string>): boolean {
  return [...topics].every((topic) => {
    if (NAMESPACED.has(topic)) return access.allows(namespace, "read-job");
    if (topic === "CSIVolume") return access.allows(namespace, "csi-read-volume");
    if (topic === "HostVolume") return access.allows(namespace, "host-volume-read");
    return topic === "Node" ? access.nodeRead : access.management;
  });
}
