import { describe, expect, it, test } from "vitest";
import { feedLocation } from "../../src/schemas/value-types.ts";
import { LogUnusable } from "../../src/feed/errors.ts";
import { locationOf } from "../../src/feed/redis/location.ts";

const SECRET = "s3cret";

/** The error for an address that is not understood. */
function refusal(address: string): { message: string; hint: string } {
  try {
    locationOf(address);
  } catch (error) {
    if (error instanceof LogUnusable) return { message: error.message, hint: error.hint ?? "" };
    throw error;
  }
  throw new Error(`${address} was taken`);
}

describe("the address of a log in Redis", () => {
  it("names one server", () => {
    expect(locationOf("redis://redis.example")).toMatchObject({
      kind: "server",
      addresses: [{ host: "redis.example", port: 6379 }],
      tls: false,
      username: undefined,
      password: undefined,
      db: 0,
      prefix: "ncf:{default}:",
      where: "redis://redis.example:6379/0?feed=default",
    });
    expect(locationOf("rediss://:p%40ss@[fd00::5]:7000/3?feed=prod&ca=%2Fetc%2Fca.pem")).toMatchObject({
      addresses: [{ host: "fd00::5", port: 7000 }],
      tls: true,
      caFile: "/etc/ca.pem",
      username: undefined,
      password: "p@ss",
      db: 3,
      where: "rediss://[fd00::5]:7000/3?feed=prod",
    });
  });

  it("names Sentinels and the master they know", () => {
    const address = `redis+sentinel://me:${SECRET}@one,two:5000,[::1]:26380/main/2?feed=prod&sentinelUser=s&sentinelPassword=a+b%25`;
    const location = locationOf(address);
    expect(location).toMatchObject({
      kind: "sentinel",
      addresses: [
        { host: "one", port: 26379 },
        { host: "two", port: 5000 },
        { host: "::1", port: 26380 },
      ],
      masterName: "main",
      sentinelUser: "s",
      sentinelPassword: "a+b%",
      username: "me",
      password: SECRET,
      db: 2,
      where: "redis+sentinel://one:26379,two:5000,[::1]:26380/main/2?feed=prod",
    });
  });

  it("names nodes of a cluster", () => {
    for (const path of ["", "/", "/0"]) {
      expect(locationOf(`rediss+cluster://one:7000,two${path}?feed=prod`)).toMatchObject({
        kind: "cluster",
        tls: true,
        addresses: [
          { host: "one", port: 7000 },
          { host: "two", port: 6379 },
        ],
        db: 0,
        where: "rediss+cluster://one:7000,two:6379/0?feed=prod",
      });
    }
  });

  test.each([
    ["http://one", /none of the schemes/],
    ["redis+other://one", /none of the schemes/],
    ["redis://", /host is missing/],
    ["redis://:6380", /host is missing/],
    ["redis+cluster://one,,two", /host is missing/],
    ["redis://fd00::5", /at "fd00" is no host/],
    ["redis://[fd00:zz]", /is no host/],
    ["redis://one two", /is no host/],
    ["redis://one:70000", /port of one is no number from 1 to 65535/],
    ["redis+cluster://one:7000,two:0", /port of two/],
    ["redis://one:", /port of one/],
    ["redis://one,two", /several hosts/],
    ["redis://one/main", /database "main" is no number/],
    ["redis://one/0/1", /follows the database/],
    ["redis+sentinel://one", /name by which the Sentinels know the master is missing/],
    ["redis+sentinel://one/main/x", /database "x"/],
    ["redis+sentinel://one/main?sentinelUser=me", /needs sentinelPassword/],
    ["redis+cluster://one/1", /database 0 only, not 1/],
    [
      "redis+cluster://one?sentinelPassword=x",
      /"sentinelPassword" after the \? is not known; allowed: feed, ca/,
    ],
    ["redis://one?feed=a&feed=b", /feed= stands there twice/],
    ["redis://one?feed=a%20b", /feed= takes/],
    ["redis://one?feed=", /feed= is empty/],
    ["redis://one?ca=a.pem", /rediss only/],
    ["redis://one?feed=%zz", /two hexadecimal digits/],
    [`redis://me@one`, /user stands without a password/],
  ])("%s is refused with the part that is wrong", (address, message) => {
    const error = refusal(address);
    expect(error.message).toMatch(message);
    expect(error.hint).toContain(address.includes("sentinel:") ? "redis+sentinel://" : "redis");
  });

  test.each([
    `redis://:${SECRET}/x@one`,
    `redis://:x?${SECRET}@one`,
    `redis://:x#${SECRET}@one`,
    `redis://:${SECRET}%@one`,
    `redis://:${SECRET}@one:port`,
    `redis://me:${SECRET}`,
    `redis://me:x:${SECRET}`,
    `redis+sentinel://me:${SECRET},x@one,two:0/main`,
    `redis+sentinel://one/?sentinelPassword=${SECRET}`,
  ])("%s is refused without its password", (address) => {
    const { message, hint } = refusal(address);
    expect(`${message} ${hint}`).not.toContain(SECRET);
  });
});

test.each([
  `redis://:${SECRET}@one`,
  `redis+sentinel://me:${SECRET},x@one,two/main?feed=a&sentinelPassword=${SECRET}`,
  `rediss+cluster://me:${SECRET}@one:7000,[::1]:7001`,
  `redis+cluster://me:x/${SECRET}@one`,
  `redis+sentinel://one/main?sentinelpassword=${SECRET}&feed=a`,
])("%s is printed without its password", (address) => {
  const type = feedLocation();
  const printed = type.print(type.schema.parse(address));
  expect(printed).not.toContain(SECRET);
  expect(printed).toMatch(/one/);
});
