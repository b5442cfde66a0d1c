import { describe, expect, it } from "vitest";
import { credentialsOf, loggableUrl } from "../../src/http/access/credentials.ts";
import { requestOf } from "../support/http-messages.ts";

describe("an address in the log", () => {
  it.each([
    ["/v1/events?ticket=SECRET", "/v1/events?ticket=[redacted]"],
    ["/v1/events?types=jobs&ticket=SECRET&limit=1", "/v1/events?types=jobs&ticket=[redacted]&limit=1"],
    ["/v1/events?TICKET=SECRET", "/v1/events?ticket=[redacted]"],
    ["/v1/events?%74icket=SECRET", "/v1/events?ticket=[redacted]"],
    ["/v1/events?t%69cke%74=SECRET&a", "/v1/events?ticket=[redacted]&a"],
    ["/v1/events?ticket=a=SECRET", "/v1/events?ticket=[redacted]"],
    ["/v1/events?token=SECRET", "/v1/events?token=[redacted]"],
    ["/v1/events?X-Nomad-Token=SECRET", "/v1/events?x-nomad-token=[redacted]"],
    ["/v1/events?access%5Ftoken=SECRET", "/v1/events?access_token=[redacted]"],
    ["/v1/events?types=jobs", "/v1/events?types=jobs"],
    ["/v1/events?a=%zz&b", "/v1/events?a=%zz&b"],
    ["/", "/"],
    [undefined, "/"],
  ])("of %s is %s", (url, expected) => {
    expect(loggableUrl(url)).toBe(expected);
  });
});

describe("what a request proves who it is with", () => {
  it.each<[headers: Record<string, string>, expected: object]>([
    [{ authorization: "Bearer  secret " }, { token: "secret" }],
    [{ authorization: "bearer secret" }, { token: "secret" }],
    [{ authorization: "Basic secret" }, {}],
    [{ authorization: "Bearer " }, {}],
    [{ "x-nomad-token": " secret " }, { token: "secret" }],
    [{ "x-nomad-token": " " }, {}],
    [{ "x-nomad-token": "secret", authorization: "Bearer secret" }, { token: "secret" }],
    [{ "sec-websocket-protocol": "cloudevents.json, bearer.c2VjcmV0" }, { token: "secret" }],
    [{}, {}],
  ])("is of %j %j", (headers, expected) => {
    expect(credentialsOf(requestOf("/", headers))).toEqual(expected);
  });

  it.each<[url: string, headers: Record<string, string>]>([
    ["/?ticket=a&ticket=b", {}],
    ["/?ticket=a", { authorization: "Bearer b" }],
    ["/", { authorization: "Bearer a", "x-nomad-token": "b" }],
  ])("is one thing only: %s %j", (url, headers) => {
    expect(() => credentialsOf(requestOf(url, headers))).toThrow("more than one token or ticket");
  });

  it.each(["token", "Access_Token", "apikey", "secret%5fid"])("is never %s in the URL", (name) => {
    expect(() => credentialsOf(requestOf(`/?${name}=x`))).toThrow("A token does not belong in the URL");
  });
});
