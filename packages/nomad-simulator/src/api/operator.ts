import { accessFor, metaFor, type ApiContext } from "./context.ts";
import { json, PERMISSION_DENIED, problem, type Reply } from "./reply.ts";
import type { ApiRequest } from "./request.ts";

/** The health of the servers; what is not healthy is told with a status of its own, as Nomad does. */
export function autopilotEndpoint(context: ApiContext, request: ApiRequest): Reply {
  if (accessFor(context, request)?.management !== true) return PERMISSION_DENIED;
  const { servers, leader } = context.operator;
  const healthy = servers.every((server) => server.healthy);
  const now = context.clock();
  const answer = {
    Healthy: healthy,
    FailureTolerance: Math.max(0, Math.ceil(servers.filter((server) => server.healthy).length / 2) - 1),
    Leader: leader,
    Voters: servers.map(({ name }) => name),
    Servers: servers.map((server) => ({
      ID: server.name,
      Name: `${server.name}.${context.region}`,
      Address: `${server.address}:4647`,
      SerfStatus: server.status,
      Version: server.version,
      Leader: server.name === leader,
      LastContact: `${context.random.between(0, 90)}ms`,
      LastTerm: 2,
      LastIndex: now,
      Healthy: server.healthy,
      Voter: true,
      StableSince: "2026-11-10T00:00:00Z",
    })),
  };
  const text = JSON.stringify(answer);
  return healthy ? json(text) : problem(429, text);
}

export function schedulerEndpoint(context: ApiContext, request: ApiRequest): Reply {
  if (accessFor(context, request)?.management !== true) return PERMISSION_DENIED;
  const { scheduler } = context.operator;
  const answer = {
    SchedulerConfig: scheduler,
    Index: scheduler["ModifyIndex"],
    LastContact: 0,
    KnownLeader: true,
  };
  return json(JSON.stringify(answer), metaFor(context, request, Number(scheduler["ModifyIndex"])));
}
