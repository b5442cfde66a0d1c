import type { SimulatedServer } from "../operator.ts";
import { piecesText, PieceWriter, type GoValue } from "../go-json.ts";
import { secretGroup } from "../store/state.ts";
import { accessFor, metaFor, replicaFor, type ApiContext } from "./context.ts";
import { json, PERMISSION_DENIED, problem, type Reply } from "./reply.ts";
import type { ApiRequest } from "./request.ts";

const VERSION = "2.0.5";
const SERVER = "10.0.0.1";

export function leaderEndpoint({ operator }: ApiContext): Reply {
  return json(JSON.stringify(operator.leaderAddress));
}

export function peersEndpoint(): Reply {
  return json(JSON.stringify([`${SERVER}:4647`]));
}

export function regionsEndpoint(context: ApiContext): Reply {
  return json(JSON.stringify([context.region]));
}

export function selfEndpoint(context: ApiContext, request: ApiRequest): Reply {
  if (accessFor(context, request)?.agentRead !== true) return PERMISSION_DENIED;
  return encoded({
    config: {
      ACL: {
        Enabled: context.aclEnabled,
        PolicyTTL: 30_000_000_000,
        ReplicationToken: "",
        TokenTTL: 30_000_000_000,
      },
      Datacenter: "dc1",
      Limits: {
        HTTPMaxConnsPerClient: 100,
        HTTPSHandshakeTimeout: "5s",
        RPCHandshakeTimeout: "5s",
        RPCMaxConnsPerClient: 100,
      },
      Region: context.region,
      Server: { Enabled: true },
      Version: {
        BuildDate: "2026-11-10T00:00:00Z",
        Revision: "",
        Version: VERSION,
        VersionMetadata: "",
        VersionPrerelease: "",
      },
    },
    member: member(context),
    stats: new Map<string, GoValue>([
      [
        "nomad",
        new Map([
          ["leader", "true"],
          ["leader_addr", `${SERVER}:4647`],
          ["server", "true"],
        ]),
      ],
    ]),
  });
}

export function membersEndpoint(context: ApiContext, request: ApiRequest): Reply {
  if (accessFor(context, request)?.nodeRead !== true) return PERMISSION_DENIED;
  return encoded({
    Members: context.operator.servers.map((server) => member(context, server)),
    ServerDC: "dc1",
    ServerName: "server-1",
    ServerRegion: context.region,
  });
}

function member(
  context: ApiContext,
  { name, address, status, version }: SimulatedServer = context.operator.servers[0] as SimulatedServer,
): GoValue {
  return {
    Addr: address,
    DelegateCur: 4,
    DelegateMax: 5,
    DelegateMin: 2,
    Name: `${name}.${context.region}`,
    Port: 4648,
    ProtocolCur: 2,
    ProtocolMax: 5,
    ProtocolMin: 1,
    Status: status,
    Tags: new Map([
      ["build", version],
      ["dc", "dc1"],
      ["port", "4647"],
      ["region", context.region],
      ["role", "nomad"],
    ]),
  };
}

/** The token that asks, secret and all; without ACLs, and without a token, a made-up one. */
export function tokenSelfEndpoint(context: ApiContext, request: ApiRequest): Reply {
  if (!context.aclEnabled) return pseudoToken(context, request, "acls-disabled", "ACLs disabled token", null);
  if (request.token === "")
    return pseudoToken(context, request, "anonymous", "Anonymous Token", ["anonymous"]);
  const [row] = replicaFor(context, request).state.tables.tokens.group(secretGroup(request.token));
  if (row === undefined) return PERMISSION_DENIED;
  const { ExpirationTime, ModifyIndex } = row.stub;
  if (ExpirationTime !== null && Date.parse(ExpirationTime) <= context.clock())
    return problem(500, "ACL token expired");
  return json(row.text, metaFor(context, request, ModifyIndex));
}

function pseudoToken(
  context: ApiContext,
  request: ApiRequest,
  id: string,
  name: string,
  policies: string[] | null,
): Reply {
  const token = {
    ExpirationTTL: "",
    AccessorID: id,
    SecretID: "",
    Name: name,
    Type: "client",
    Policies: policies,
    Roles: null,
    Global: false,
    Hash: null,
    CreateTime: "0001-01-01T00:00:00Z",
    ExpirationTime: null,
    CreateIndex: 0,
    ModifyIndex: 0,
  };
  return json(JSON.stringify(token), metaFor(context, request, 0));
}

function encoded(value: GoValue): Reply {
  return json(piecesText(new PieceWriter().value(value).finish()));
}
