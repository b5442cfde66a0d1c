import type { LookupAddress } from "node:dns";
import { expect, it } from "vitest";
import { isPublic, publicLookup, type Resolve } from "../../src/publishers/http-client/addresses.ts";

it.each([
  ["this host", ["127.0.0.1", "127.9.9.9", "0.0.0.0", "::1", "::"]],
  ["private networks", ["10.0.0.1", "172.16.0.1", "192.168.1.1", "fd12::1", "fec0::1"]],
  ["the link", ["169.254.1.1", "fe80::1", "fe80::1%eth0"]],
  [
    "metadata of clouds",
    ["169.254.169.254", "100.100.100.200", "192.0.0.192", "168.63.129.16", "fd00:ec2::254"],
  ],
  ["carriers' own", ["100.64.0.1"]],
  [
    "many, or nobody",
    ["224.0.0.1", "255.255.255.255", "240.0.0.1", "198.18.0.1", "192.0.2.1", "ff02::1", "2001:db8::1"],
  ],
  ["IPv4 within IPv6", ["::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "::ffff:0:127.0.0.1"]],
  ["IPv4 behind NAT64", ["64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::808:808"]],
  ["tunnels", ["2002:7f00:1::1", "2001:0:7f00:1::1"]],
])("is no public address: %s", (_what, addresses) => {
  expect(addresses.filter(isPublic)).toEqual([]);
});

it("is a public address", () => {
  const addresses = ["8.8.8.8", "172.32.0.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"];
  expect(addresses.filter(isPublic)).toEqual(addresses);
});

const PUBLIC: LookupAddress = { address: "8.8.8.8", family: 4 };
const INSIDE: LookupAddress = { address: "10.0.0.7", family: 4 };

/** What a lookup of "hooks.example" calls back with. */
function looked(all: boolean, resolve: Resolve): unknown[] {
  let answer: unknown[] = [];
  publicLookup(resolve)("hooks.example", { all }, (...given: unknown[]) => void (answer = given));
  return answer;
}

it("a name is looked up once for a connection, in the form that is asked for", () => {
  const resolve: Resolve = (_host, _options, done) => done(null, [PUBLIC, PUBLIC]);
  expect(looked(true, resolve)).toEqual([null, [PUBLIC, PUBLIC]]);
  expect(looked(false, resolve)).toEqual([null, "8.8.8.8", 4]);
});

it("a name of which one address is inside is not connected to", () => {
  const [error] = looked(true, (_host, _options, done) => done(null, [PUBLIC, INSIDE]));
  expect(error).toMatchObject({
    code: "PRIVATE_ADDRESS",
    message:
      "hooks.example leads to 10.0.0.7, which is no public address; allowPrivate: true lets it be sent to",
  });
});

it("a name that led to the public is looked up anew, and refused once it leads inside", () => {
  const answers = [PUBLIC, INSIDE];
  const rebinding: Resolve = (_host, _options, done) => done(null, answers.splice(0, 1));
  const lookup = publicLookup(rebinding);
  const results: unknown[] = [];
  const connect = () =>
    lookup("rebinding.example", { all: true }, (error, found) => void results.push(error?.message ?? found));
  connect();
  connect();
  expect(results).toEqual([[PUBLIC], expect.stringContaining("rebinding.example leads to 10.0.0.7")]);
});

it("an error of the resolver stays what it is", () => {
  const failed = Object.assign(new Error("getaddrinfo ENOTFOUND"), { code: "ENOTFOUND" });
  expect(looked(true, (_host, _options, done) => done(failed, []))).toEqual([failed, ""]);
});
