import type { Cluster } from "../cluster/cluster.ts";
import { taskLogsEndpoint } from "./task-logs.ts";
import {
  leaderEndpoint,
  membersEndpoint,
  peersEndpoint,
  regionsEndpoint,
  selfEndpoint,
  tokenSelfEndpoint,
} from "./agent.ts";
import { accessFor, type ApiContext } from "./context.ts";
import { jobEvaluationsEndpoint } from "./job-evaluations.ts";
import { jobVersionsEndpoint } from "./job-versions.ts";
import { listEndpoint } from "./lists.ts";
import { autopilotEndpoint, schedulerEndpoint } from "./operator.ts";
import { objectEndpoint, type ObjectTable } from "./objects.ts";
import { nodePoolEndpoint, plainListsAt, tokensEndpoint } from "./plain-lists.ts";
import { empty, INVALID_METHOD, PERMISSION_DENIED, problem, type Reply } from "./reply.ts";
import type { ApiRequest } from "./request.ts";

type Handler = (context: ApiContext, request: ApiRequest) => Reply | Promise<Reply>;

export interface Route {
  readonly handle: Handler;
  readonly methods: readonly string[];
  /** What faults may be limited to: the first part of the path after /v1/. */
  readonly resource: string;
  /** Agent's own knowledge: no region, no leader needed. */
  readonly local?: boolean;
}

const ENTERPRISE = new Set([
  "quotas",
  "quota-usages",
  "quota",
  "recommendations",
  "recommendation",
  "license",
]);

const LISTS = ["jobs", "nodes", "allocations", "deployments", "evaluations", "namespaces"] as const;

const OBJECTS: ReadonlyMap<string, ObjectTable> = new Map(
  Object.entries<ObjectTable>({
    job: "jobs",
    node: "nodes",
    allocation: "allocations",
    deployment: "deployments",
    evaluation: "evaluations",
    namespace: "namespaces",
  }),
);

const get = (handle: Handler): Pick<Route, "handle" | "methods"> => ({ handle, methods: ["GET"] });

/** Finds what answers a path, or undefined: 404. `path` is decoded. */
export function routeOf(cluster: Cluster, path: string): Route | undefined {
  const [, version, resource = "", ...rest] = path.split("/");
  if (version !== "v1") return undefined;
  const tail = rest.join("/");
  const found = route(cluster, resource, tail);
  return found === undefined ? undefined : { resource, ...found };
}

function route(cluster: Cluster, resource: string, tail: string): Omit<Route, "resource"> | undefined {
  const listed = LISTS.find((name) => name === resource);
  if (listed !== undefined && tail === "")
    return get((context, request) => listEndpoint(context, request, listed));
  const plain = plainListsAt(tail === "" ? resource : `${resource}/${tail}`);
  if (plain !== undefined) return get(plain);
  const evaluationsOf = resource === "job" ? /^(.+)\/evaluations$/s.exec(tail)?.[1] : undefined;
  if (evaluationsOf !== undefined)
    return get((context, request) => jobEvaluationsEndpoint(context, request, evaluationsOf));
  const pool = resource === "node" ? /^pool\/(.+)$/s.exec(tail)?.[1] : undefined;
  if (pool !== undefined) return get((context, request) => nodePoolEndpoint(context, request, pool));
  const versionsOf = resource === "job" ? /^(.+)\/versions$/s.exec(tail)?.[1] : undefined;
  if (versionsOf !== undefined)
    return get((context, request) => jobVersionsEndpoint(context, request, versionsOf));
  const logsOf = resource === "client" ? /^fs\/logs\/(.+)$/s.exec(tail)?.[1] : undefined;
  if (logsOf !== undefined) return get((context, request) => taskLogsEndpoint(context, request, logsOf));
  const table = OBJECTS.get(resource);
  if (table !== undefined && tail !== "")
    return get((context, request) => objectEndpoint(context, request, table, tail));
  if (ENTERPRISE.has(resource) || (resource === "sentinel" && tail !== "")) {
    return {
      ...get(() => problem(501, "Nomad Enterprise only endpoint")),
      methods: ["GET", "PUT", "POST", "DELETE"],
      local: true,
    };
  }
  switch (`${resource}/${tail}`) {
    case "status/leader":
      return get(leaderEndpoint);
    case "status/peers":
      return get(peersEndpoint);
    case "regions/":
      return { ...get(regionsEndpoint), local: true };
    case "event/stream":
      // What is left for it are other methods than GET, see EventEndpoint.
      return { ...get(() => INVALID_METHOD), local: true };
    case "agent/self":
      return { ...get(selfEndpoint), local: true };
    case "agent/members":
      return { ...get(membersEndpoint), local: true };
    case "acl/token/self":
      return get(tokenSelfEndpoint);
    case "operator/autopilot/health":
      return get(autopilotEndpoint);
    case "operator/scheduler/configuration":
      return get(schedulerEndpoint);
    case "operator/license":
      return { ...get(() => problem(204, "")), local: true };
    case "acl/tokens":
      return get((context, request) => withAcl(context, () => tokensEndpoint(context, request)));
    case "acl/policies":
      return get((context, request) => withAcl(context, () => listEndpoint(context, request, "policies")));
    case "system/gc":
      return { handle: (context, request) => collect(cluster, context, request), methods: ["PUT", "POST"] };
    default:
      return policyRoute(resource, tail);
  }
}

function policyRoute(resource: string, tail: string): Omit<Route, "resource"> | undefined {
  const name = /^policy\/(.+)$/.exec(tail)?.[1];
  if (resource !== "acl" || name === undefined) return undefined;
  return get((context, request) =>
    withAcl(context, () => objectEndpoint(context, request, "policies", name)),
  );
}

function withAcl(context: ApiContext, handle: () => Promise<Reply>): Reply | Promise<Reply> {
  return context.aclEnabled ? handle() : problem(400, "ACL support disabled");
}

function collect(cluster: Cluster, context: ApiContext, request: ApiRequest): Reply {
  if (accessFor(context, request)?.management !== true) return PERMISSION_DENIED;
  cluster.gc();
  return empty();
}

/** Answers a request as the whole of Nomad would: region, leader, rights, then the query. */
export async function answer(context: ApiContext, found: Route, request: ApiRequest): Promise<Reply> {
  if (found.local !== true) {
    if (request.region !== "" && request.region !== context.region) return problem(500, "No path to region");
    if (!request.stale && !(await context.leadership.hold(context.holdMs, context.signal))) {
      return problem(500, "No cluster leader");
    }
  }
  return await found.handle(context, request);
}
