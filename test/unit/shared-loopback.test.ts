import { describe, expect, it } from "vitest";
import { parseAddresses } from "../../src/nomad/address.ts";
import { isLoopback, listenAddress } from "../../src/shared/loopback.ts";

describe("loopback", () => {
  it.each([
    "localhost",
    "LocalHost",
    "feed.localhost",
    "127.0.0.1",
    "127.9.9.9",
    "::1",
    "[::1]",
    "::ffff:127.0.0.1",
    "[::ffff:7f00:1]",
  ])("is %s", (host) => {
    expect(isLoopback(host)).toBe(true);
  });

  it.each([
    "0.0.0.0",
    "::",
    "10.0.0.1",
    "::ffff:10.0.0.1",
    "127.example",
    "localhost.example",
    "notlocalhost",
    "",
  ])("is not %j", (host) => {
    expect(isLoopback(host)).toBe(false);
  });

  it("listens on a name of this machine without asking a resolver, and on anything else as it is", () => {
    const hosts = ["localhost", "feed.localhost", "::1", "0.0.0.0", "nomad.example"];
    expect(hosts.map(listenAddress)).toEqual(["127.0.0.1", "127.0.0.1", "::1", "0.0.0.0", "nomad.example"]);
  });

  it("is what an agent on this machine is known by", () => {
    const urls = ["http://[::ffff:127.0.0.1]:4646", "http://nomad.localhost:4646", "http://127.example:4646"];
    expect(parseAddresses(urls, undefined).map(({ local }) => local)).toEqual([true, true, false]);
  });
});
