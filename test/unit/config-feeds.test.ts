import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FILTER_LANGUAGE } from "../../src/commands/support/filter-language.ts";
import { ConfigInvalid } from "../../src/config/errors.ts";
import { resolveConfig } from "../../src/config/resolve.ts";
import type { Given } from "../../src/config/sources.ts";

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "ncf-config-feeds-"));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function resolve(text: string, { flags = {}, env = {} }: Partial<Given> = {}) {
  const config = join(directory, "feed.yaml");
  writeFileSync(config, text);
  return resolveConfig({ flags: { ...flags, config }, env, language: FILTER_LANGUAGE });
}

function problemsOf(text: string, given?: Partial<Given>): string[] {
  try {
    resolve(text, given);
  } catch (error) {
    if (error instanceof ConfigInvalid)
      return error.problems.map((line) => line.replaceAll(`${directory}/`, ""));
    throw error;
  }
  return [];
}

const TWO = `
listen: 127.0.0.1:0
retention-age: 14d
destinations:
  hook: { type: webhook, url: https://hook.example/all }
feeds:
  - name: eu
    nomad-addr: https://eu.example:4646
    nomad-token: eu-token
  - name: us
    nomad-addr: https://us.example:4646
    cluster: america
    retention-age: 30d
    feed: sqlite:./us.db
    destinations: {}
`;

describe("a file with feeds", () => {
  it("gives each its own, from the entry, the top of the file and its name", () => {
    const { feeds = [] } = resolve(TWO);
    const [eu, us] = feeds.map(({ config }) => config);
    expect(feeds.map(({ name }) => name)).toEqual(["eu", "us"]);
    expect(eu).toMatchObject({
      cluster: "eu",
      nomad: { addresses: ["https://eu.example:4646"], token: "eu-token" },
      feed: { kind: "sqlite", path: "./nomad-changefeed-eu.db" },
      retention: { maxAgeMs: 14 * 86_400_000 },
      destinations: [{ name: "hook" }],
      listen: { host: "127.0.0.1", port: 0 },
    });
    expect(us).toMatchObject({
      cluster: "america",
      feed: { kind: "sqlite", path: "./us.db" },
      retention: { maxAgeMs: 30 * 86_400_000 },
      destinations: [],
    });
    expect(us?.nomad).not.toHaveProperty("token");
  });

  it("sends no token of the environment to all clusters, and says so", () => {
    const { feeds, warnings } = resolve(TWO, { env: { NOMAD_TOKEN: "secret", NCF_WAIT: "20s" } });
    expect(feeds?.[1]?.config.nomad).not.toHaveProperty("token");
    expect(feeds?.map(({ config }) => config.waitMs)).toEqual([20_000, 20_000]);
    expect(warnings).toEqual([expect.stringContaining("NOMAD_TOKEN is not used")]);
  });

  it("is as before without them", () => {
    expect(resolve("cluster: prod").feeds).toBeUndefined();
  });
});

describe("a mistake is told with file, line and path", () => {
  it.each([
    ["feeds: []", "feed.yaml:1: feeds: is no list of feeds"],
    ["feeds:\n  - nomad-addr: http://a", "feed.yaml:2: feeds[0].name: is missing"],
    ["feeds:\n  - name: a/b", 'feed.yaml:2: feeds[0].name: "a/b" is not allowed'],
    ["feeds:\n  - name: a\n  - name: a", 'feed.yaml:3: feeds[1].name: feeds[0] is called "a" too'],
    ["feeds:\n  - name: a\n    lisen: x", 'feed.yaml:3: feeds[0]: a feed has no option "lisen"'],
    [
      "feeds:\n  - name: a\n    listen: 127.0.0.1:1",
      'feed.yaml:3: feeds[0]: "listen" is for the whole process',
    ],
    [
      "feeds:\n  - name: a\n  - name: b\n    wait: soon",
      '--wait: "soon" is not allowed (file feed.yaml:4, feeds[1].wait)',
    ],
    [
      "feeds:\n  - name: a\n    destinations:\n      out: { type: webhok }",
      'feed.yaml:4: feeds[0].destinations.out.type: "webhok" is not allowed',
    ],
    [
      "feeds:\n  - name: a\n  - name: b\n    nomad-client-cert: x.pem",
      "feed.yaml:3: feeds[1]: --nomad-client-cert and --nomad-client-key: give both or neither",
    ],
    [
      "feeds:\n  - name: a\n  - name: b\n    feed: sqlite:./nomad-changefeed-a.db",
      'feed.yaml:3: feeds[1].feed: ./nomad-changefeed-a.db is the feed "a"\'s too',
    ],
    [
      "feeds:\n  - name: a\n    feed: sqlite:./dir/../x.db\n  - name: b\n    feed: sqlite:x.db",
      'feed.yaml:4: feeds[1].feed: x.db is the feed "a"\'s too',
    ],
    [
      "destinations:\n  out: { type: file, path: out.jsonl }\nfeeds:\n  - name: a\n  - name: b",
      'feed.yaml:5: feeds[1].destinations.out: out.jsonl is the feed "a"\'s too',
    ],
    ["lisen: 1\nfeeds:\n  - name: a", 'feed.yaml:1: there is no option "lisen"'],
  ])("%j", (text, problem) => {
    expect(problemsOf(text)).toEqual([expect.stringContaining(problem)]);
  });

  it("also a flag that only one feed can have", () => {
    expect(problemsOf(TWO, { flags: { nomadAddr: "http://a" } })).toEqual([
      expect.stringContaining("--nomad-addr: the file has feeds, and each has its own"),
    ]);
  });
});

describe("--regions all", () => {
  it.each([
    ["nomad-region: eu", "--regions: all means each region"],
    ["feed: redis://127.0.0.1:6379", "--regions: all keeps a file for each region"],
    ["compat: nomad-events", "--regions: with all, --compat"],
    ["destinations:\n  out: { type: file, path: out.jsonl }", "destinations.out: with --regions all"],
    ["feeds:\n  - name: eu", "feed.yaml: regions: all is for a file without feeds"],
  ])("does not go with %j", (text, problem) => {
    expect(problemsOf(`regions: all\n${text}`)).toEqual([expect.stringContaining(problem)]);
  });
});
