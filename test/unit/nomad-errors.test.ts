import { errors } from "undici";
import { describe, expect, test } from "vitest";
import type { NomadErrorCode } from "../../src/nomad/errors.ts";
import { DeadlinePassed, ExchangeFailed, type Phase } from "../../src/nomad/exchange.ts";
import { statusError, type Asked } from "../../src/nomad/status-errors.ts";
import { transportError } from "../../src/nomad/transport-errors.ts";

const asked: Asked = {
  what: "GET /v1/jobs?namespace=qa",
  capability: "list-jobs",
  namespace: "qa",
  tokenSent: true,
};

function errorOf(status: number, text: string, changes: Partial<Asked> = {}) {
  return statusError(
    { ...asked, ...changes },
    { status, text, address: "http://nomad:4646", retryAfterMs: undefined, heldMs: 5 },
  );
}

describe("answers of Nomad", () => {
  test.each<[number, string, NomadErrorCode, boolean, RegExp]>([
    [400, "Invalid wait time", "NOMAD_BAD_REQUEST", false, /region, namespace and wait/],
    [400, "ACL support disabled", "NOMAD_BAD_REQUEST", false, /without ACLs/],
    [400, "Client sent an HTTP request to an HTTPS server.", "NOMAD_TLS", false, /https:\/\//],
    [401, "Unauthorized", "NOMAD_UNAUTHORIZED", false, /NOMAD_HTTP_AUTH/],
    [403, "Permission denied", "NOMAD_FORBIDDEN", false, /list-jobs in namespace "qa"/],
    [403, "ACL token not found", "NOMAD_UNAUTHORIZED", false, /does not know this token/],
    [404, "ACL token not found", "NOMAD_UNAUTHORIZED", false, /does not know this token/],
    [
      500,
      "acl token lookup failed: index error: UUID must be 36 characters",
      "NOMAD_UNAUTHORIZED",
      false,
      /does not know this token/,
    ],
    [500, "missing secret id", "NOMAD_UNAUTHORIZED", false, /token/],
    [500, "ACL token expired", "NOMAD_TOKEN_EXPIRED", false, /nomad acl token create/],
    [403, "ACL token expired", "NOMAD_TOKEN_EXPIRED", false, /nomad acl token create/],
    [500, "Permission denied", "NOMAD_FORBIDDEN", false, /list-jobs/],
    [404, "Namespace not found", "NOMAD_NOT_FOUND", false, /does not exist/],
    [404, "", "NOMAD_NOT_FOUND", false, /older than the endpoint/],
    [405, "Invalid method", "NOMAD_METHOD_NOT_ALLOWED", false, /prox/],
    [
      429,
      "Your IP is issuing too many concurrent connections, please rate limit your calls",
      "NOMAD_TOO_MANY_CONNECTIONS",
      true,
      /http_max_conns_per_client/,
    ],
    [429, "slow down", "NOMAD_RATE_LIMITED", true, /proxy/],
    [500, "No path to region", "NOMAD_NO_REGION", true, /NOMAD_REGION/],
    [500, "rpc error: No cluster leader", "NOMAD_NO_LEADER", true, /electing/],
    [500, "No cluster leader", "NOMAD_NO_LEADER", true, /electing/],
    [500, "Not ready to serve consistent reads", "NOMAD_NO_LEADER", true, /electing/],
    [500, "no servers", "NOMAD_NO_LEADER", true, /client agent/],
    [500, "rpc error: EOF", "NOMAD_SERVER_ERROR", true, /leader/],
    [
      500,
      "rpc error: failed to get conn: dial tcp 10.0.0.1:4647: connect: connection refused",
      "NOMAD_SERVER_ERROR",
      true,
      /leader/,
    ],
    [500, "something new", "NOMAD_SERVER_ERROR", true, /log/],
    [501, "Nomad Enterprise only endpoint", "NOMAD_ENTERPRISE_ONLY", false, /Community/],
    [502, "Bad Gateway", "NOMAD_SERVER_ERROR", true, /proxy/],
    [504, "", "NOMAD_SERVER_ERROR", true, /proxy/],
    [302, "", "NOMAD_UNEXPECTED_STATUS", false, /redirect/],
    [204, "", "NOMAD_UNEXPECTED_STATUS", false, /HTTP API/],
    [418, "teapot", "NOMAD_UNEXPECTED_STATUS", false, /HTTP API/],
  ])("%i %s is %s", (status, text, code, retryable, hint) => {
    const error = errorOf(status, text);
    expect(error).toMatchObject({ code, retryable, status });
    expect(error.hint).toMatch(hint);
    expect(error.message).toContain("GET /v1/jobs?namespace=qa at http://nomad:4646");
    expect(error.message).toContain(text);
  });

  test("a refusal without a token says that none was sent", () => {
    expect(errorOf(403, "Permission denied", { tokenSent: false }).hint).toMatch(
      /No token was sent.*list-jobs/,
    );
  });

  test("a refusal outside namespaces names the capability alone", () => {
    const error = errorOf(403, "Permission denied", { capability: "node:read", namespace: undefined });
    expect(error.hint).toMatch(/must grant node:read;/);
  });
});

describe("exchanges that fail", () => {
  const withCode = (code: string, message = code) => Object.assign(new Error(message), { code });
  test.each<[string, Phase, number, Error, NomadErrorCode, boolean, RegExp]>([
    ["refused", "connecting", 1, withCode("ECONNREFUSED"), "NOMAD_UNREACHABLE", true, /agent runs/],
    [
      "refused on all addresses",
      "connecting",
      1,
      new AggregateError([withCode("ECONNREFUSED")]),
      "NOMAD_UNREACHABLE",
      true,
      /agent runs/,
    ],
    ["unknown host", "connecting", 1, withCode("ENOTFOUND"), "NOMAD_UNREACHABLE", true, /DNS/],
    ["no socket", "connecting", 1, withCode("ENOENT"), "NOMAD_UNREACHABLE", true, /unix:\/\//],
    [
      "connect timeout",
      "connecting",
      10_000,
      withCode("UND_ERR_CONNECT_TIMEOUT"),
      "NOMAD_UNREACHABLE",
      true,
      /firewall/,
    ],
    [
      "reset at once",
      "waiting",
      3,
      withCode("ECONNRESET"),
      "NOMAD_UNREACHABLE",
      true,
      /http_max_conns_per_client/,
    ],
    [
      "reset after long waiting",
      "waiting",
      30_000,
      withCode("ECONNRESET"),
      "NOMAD_UNREACHABLE",
      true,
      /agent's log/,
    ],
    [
      "closed by the leader",
      "waiting",
      30_000,
      withCode("UND_ERR_SOCKET"),
      "NOMAD_UNREACHABLE",
      true,
      /agent's log/,
    ],
    ["reset in the body", "reading", 3, withCode("ECONNRESET"), "NOMAD_UNREACHABLE", true, /agent's log/],
    ["no answer", "waiting", 75, new DeadlinePassed(75), "NOMAD_TIMEOUT", true, /overloaded/],
    [
      "not HTTP",
      "waiting",
      1,
      new errors.HTTPParserError("not HTTP"),
      "NOMAD_BAD_RESPONSE",
      true,
      /HTTP API/,
    ],
    [
      "body too short",
      "reading",
      1,
      withCode("UND_ERR_RES_CONTENT_LENGTH_MISMATCH"),
      "NOMAD_BAD_RESPONSE",
      true,
      /cut off/,
    ],
    [
      "wrong name",
      "connecting",
      1,
      withCode("ERR_TLS_CERT_ALTNAME_INVALID"),
      "NOMAD_TLS",
      false,
      /NOMAD_TLS_SERVER_NAME/,
    ],
    [
      "unknown authority",
      "connecting",
      1,
      withCode("UNABLE_TO_VERIFY_LEAF_SIGNATURE"),
      "NOMAD_TLS",
      false,
      /NOMAD_CACERT/,
    ],
    [
      "self-signed",
      "connecting",
      1,
      withCode("SELF_SIGNED_CERT_IN_CHAIN"),
      "NOMAD_TLS",
      false,
      /NOMAD_CACERT/,
    ],
    ["expired", "connecting", 1, withCode("CERT_HAS_EXPIRED"), "NOMAD_TLS", false, /out of date/],
    [
      "plain port",
      "connecting",
      1,
      withCode("ERR_SSL_WRONG_VERSION_NUMBER"),
      "NOMAD_TLS",
      false,
      /http:\/\//,
    ],
    [
      "wants a certificate",
      "waiting",
      1,
      withCode("ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED"),
      "NOMAD_TLS",
      false,
      /NOMAD_CLIENT_CERT/,
    ],
    ["unheard of", "waiting", 1, withCode("ENOVEL"), "NOMAD_UNREACHABLE", true, /log/],
  ])("%s while %s", (_name, phase, afterMs, cause, code, retryable, hint) => {
    const error = transportError(
      "GET /v1/jobs",
      "http://nomad:4646",
      new ExchangeFailed(phase, afterMs, cause),
    );
    expect(error).toMatchObject({ code, retryable, status: undefined });
    expect(error.hint).toMatch(hint);
    expect(error.message).toContain("GET /v1/jobs at http://nomad:4646");
  });
});
