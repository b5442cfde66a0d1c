import { isJsonObject, objectOf, stringField, type Json, type JsonObject } from "../json.ts";
import type { Entry } from "./entry.ts";

const OPERATOR_READ = [["operator:read"]] as const;
const WIDE = { namespaced: false, neverPrefix: undefined, timeFields: [], references: {} } as const;

/** What tells about the cluster itself. Nomad has no index of any of it. */
export const CLUSTER = {
  servers: {
    ...WIDE,
    noun: "server",
    path: "/v1/agent/members",
    beside: "/v1/status/leader",
    keyField: "Name",
    nameField: "Name",
    grants: [["node:read"]],
    polled: true,
    listOf: serversIn,
  },
  autopilot: {
    ...WIDE,
    noun: "autopilot",
    path: "/v1/operator/autopilot/health",
    keyField: "Name",
    nameField: "Name",
    grants: OPERATOR_READ,
    polled: true,
    listOf: (answer) => [healthOf(answer)],
  },
  scheduler: {
    ...WIDE,
    noun: "scheduler",
    path: "/v1/operator/scheduler/configuration",
    keyField: "Name",
    nameField: "Name",
    grants: OPERATOR_READ,
    polled: true,
    listOf: (answer) => [{ Name: "configuration", ...objectIn(answer, "SchedulerConfig") }],
  },
  license: {
    ...WIDE,
    noun: "license",
    path: "/v1/operator/license",
    keyField: "Name",
    nameField: "Name",
    grants: OPERATOR_READ,
    polled: true,
    listOf: (answer) => [
      {
        Name: "license",
        ConfigOutdated: isJsonObject(answer) && answer["ConfigOutdated"] === true,
        ...licenseIn(answer),
      },
    ],
  },
} as const satisfies Record<string, Entry>;

/**
 * Gossip knows the servers of all federated regions; those of the one that was asked are the feed's. `Leader` says who
 * leads them, by the address of its RPC.
 */
function serversIn(answer: Json, leader: Json): JsonObject[] {
  const { ServerRegion = null, Members = null } = objectOf(answer);
  const members = Array.isArray(Members) ? Members.filter(isJsonObject) : [];
  return members
    .filter((member) => objectIn(member, "Tags")["region"] === ServerRegion)
    .map((member) => ({ ...member, Leader: isLeader(member, leader) }));
}

function isLeader(member: JsonObject, leader: Json): boolean {
  const tags = objectIn(member, "Tags");
  const port = stringField(tags, "port") ?? "";
  const hosts = [stringField(tags, "rpc_addr"), stringField(member, "Addr")];
  return hosts.some(
    (host) => host !== undefined && (leader === `${host}:${port}` || leader === `[${host}]:${port}`),
  );
}

/** Without what moves at every look: terms, indexes and times of the last contact. */
function healthOf(answer: Json): JsonObject {
  const { Servers = null, ...health } = objectOf(answer);
  const servers = Array.isArray(Servers) ? Servers.filter(isJsonObject) : [];
  const byName = servers.map(({ LastContact: _contact, LastTerm: _term, LastIndex: _index, ...server }) => {
    return [stringField(server, "Name") ?? "", server] as const;
  });
  return { Name: "health", ...health, Servers: Object.fromEntries(byName) };
}

function licenseIn(answer: Json): JsonObject {
  return objectIn(answer, "License");
}

function objectIn(answer: Json, name: string): JsonObject {
  return objectOf(objectOf(answer)[name]);
}
