import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { configFileSchema } from "../../src/config/json-schema.ts";
import { FILTER_LANGUAGE } from "../../src/commands/support/filter-language.ts";
import { ConfigInvalid } from "../../src/config/errors.ts";
import { resolveConfig } from "../../src/config/resolve.ts";
import { TOLD_SCHEMAS } from "../../src/schemas/destinations/told.ts";
import { DESTINATION_SCHEMAS } from "../../src/schemas/destinations/index.ts";
import { generateNoteKey } from "../../src/tlog/note-keys.ts";
import { runCli } from "../support/cli.ts";
import { fieldsOf } from "../support/config-docs.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ncf-destinations-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const ENV = {
  HOOK: "https://hooks.example/T1/very-secret",
  SIGNING: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
  PASSWORD: "hunter2",
};

function path(name: string): string {
  return join(folder, name);
}

function resolve(text: string, env: Record<string, string> = ENV) {
  writeFileSync(path("feed.yaml"), text);
  return resolveConfig({ flags: { config: path("feed.yaml") }, env, language: FILTER_LANGUAGE }).config
    .destinations;
}

/** Problems, with the file by its name alone. */
function problemsOf(text: string, env: Record<string, string> = ENV): string[] {
  try {
    resolve(text, env);
  } catch (error) {
    if (error instanceof ConfigInvalid) return error.problems.map((one) => one.replaceAll(`${folder}/`, ""));
    throw error;
  }
  return [];
}

/** A destination named `a` with these lines. */
function destination(...lines: string[]): string {
  return ["destinations:", "  a:", ...lines.map((line) => `    ${line}`)].join("\n");
}

describe("destinations of the file", () => {
  it("have what is said, and else what their type usually has", () => {
    const [hook, lines] = resolve(`
cluster: prod
destinations:
  ops-webhook:
    type: webhook
    url: env:HOOK
    secrets: env:SIGNING
    types: [allocations, feed]
    namespaces: default,ops
    minSeverity: WARN
    filter: Status == failed
    payload: thin
    ordering: strict
    batch: { events: 20, age: 2s }
    retry: { most: 10m }
    headers:
      X-Team: ops
      Authorization: env:PASSWORD
  lines:
    type: file
    path: ./events.jsonl
`);
    expect(hook).toMatchObject({
      name: "ops-webhook",
      line: 4,
      settings: { type: "webhook", url: "env:HOOK", secrets: ["env:SIGNING"], allowPrivate: false },
      conditions: {
        types: ["allocations", "feed"],
        namespaces: ["default", "ops"],
        minSeverity: "WARN",
        filters: [{ text: "Status == failed" }],
      },
      payload: "thin",
      from: "now",
      ordering: "strict",
      inFlight: 1,
      batch: { maxEvents: 20, maxBytes: 262_144, maxAgeMs: 2000 },
      timeoutMs: 20_000,
      retry: { firstMs: 5000, mostMs: 600_000 },
      onPoison: "park",
    });
    expect(lines).toMatchObject({
      name: "lines",
      settings: { rotate: { bytes: 104_857_600, keep: 5 } },
      conditions: {},
      payload: "full",
      from: "beginning",
      ordering: "strict",
    });
  });

  it.each([
    ["kafka", ["brokers: [a:9092, b:9092]", "topic: nomad", "tls: {}"]],
    ["nats", ["servers: nats://a:4222", "stream: EVENTS"]],
    ["otlp", ["endpoint: http://collector:4318/v1/logs"]],
    ["redis", ["url: redis://other:6379/0", "stream: nomad"]],
    ["stdout", []],
  ])("may be of the type %s", (type, lines) => {
    expect(resolve(destination(`type: ${type}`, ...lines))).toMatchObject([{ settings: { type } }]);
    expect([...DESTINATION_SCHEMAS.keys()]).toContain(type);
  });

  it("may be said once, and named again by an alias", () => {
    const [first, second] = resolve(`destinations:
  a: &file { type: file, path: ./a.jsonl, rotate: &rotate { keep: 3 } }
  b: { type: file, path: ./b.jsonl, rotate: *rotate }
`);
    expect([first?.settings, second?.settings]).toMatchObject([
      { rotate: { keep: 3 } },
      { rotate: { keep: 3 } },
    ]);
  });

  it("are another than before where a setting is, or what stands behind a reference or in a named file", () => {
    writeFileSync(path("ca.pem"), "one");
    const text = destination("type: webhook", "url: env:HOOK", `tls: { caCert: ${path("ca.pem")} }`);
    const of = (given: string, env = ENV) => resolve(given, env)[0]?.fingerprint;
    const first = of(text);
    expect(of(`# a line more\n${text}`)).toBe(first);
    const others = [of(`${text}\n    payload: thin`), of(text, { ...ENV, HOOK: "https://other.example" })];
    writeFileSync(path("ca.pem"), "two");
    expect(new Set([first, ...others, of(text)]).size).toBe(4);
  });
});

describe("what is wrong with destinations", () => {
  it("is told with file, line, path and what is allowed, all of it together", () => {
    const text = `cluster: prod
destinations:
  ops-webhook:
    type: webhook
    urll: https://hooks.example
    batch:
      events: many
    types: alocations
    filter: Status =
    timeout: 5
  Bad_Name: { type: stdout }
  none:
    type: webhok
  lines: { type: file, path: x, fsync: true }
`;
    const problems = problemsOf(text);
    expect(problems).toEqual([
      'feed.yaml:7: destinations.ops-webhook.batch.events: "many" is not allowed; allowed: a whole number from 1 to 10000, such as 100 or 500k or 2M',
      expect.stringMatching(
        /^feed.yaml:10: destinations.ops-webhook.timeout: "5" is not allowed; allowed: a duration from 100ms/,
      ),
      expect.stringMatching(/^feed.yaml:3: destinations.ops-webhook.url: is missing; allowed: an address/),
      expect.stringMatching(
        /^feed.yaml:5: destinations.ops-webhook.urll: there is no such key; did you mean url\?; allowed: type, types,/,
      ),
      expect.stringMatching(
        /^feed.yaml:8: destinations.ops-webhook.types: types cannot be "alocations"; Did you mean allocations\?; allowed: jobs,/,
      ),
      expect.stringMatching(
        /^feed.yaml:9: destinations.ops-webhook.filter: filter, position 8: .*\n.*\n +\^$/s,
      ),
      'feed.yaml:11: destinations.Bad_Name: "Bad_Name" cannot be a name; allowed: 1 to 63 of a-z 0-9 -, with no dash at either end',
      'feed.yaml:13: destinations.none.type: "webhok" is not allowed; did you mean webhook?; allowed: webhook, kafka, nats, otlp, redis, file, audit, stdout, alertmanager, pagerduty, slack, email, alert-webhook',
      "feed.yaml:14: destinations.lines.fsync: what is given is not allowed; allowed: batch, none",
    ]);
  });

  it.each([
    ["destinations: [a]", "feed.yaml:1: destinations: is not a map"],
    [destination("url: x"), "feed.yaml:2: destinations.a.type: is missing; allowed: webhook"],
    ["destinations:\n  a: webhook", "feed.yaml:2: destinations.a: is not a map"],
    [
      destination("type: stdout", "from: yesterday"),
      'feed.yaml:4: destinations.a.from: "yesterday" is not allowed; allowed: now, beginning',
    ],
    [
      destination("type: stdout", "signals: allocation.flied"),
      "feed.yaml:4: destinations.a.signals: signals cannot be",
    ],
    [
      destination("type: stdout", "filter: [a == 1, 3]"),
      "feed.yaml:4: destinations.a.filter: this list is not allowed",
    ],
    [
      destination("type: webhook", "url: env:HOOK", "format: template"),
      "feed.yaml:2: destinations.a.template: format: template and a template go together",
    ],
    [
      destination("type: webhook", "url: env:HOOK", "tls: { caCert: none.pem }"),
      'feed.yaml:5: destinations.a.tls.caCert: the file "none.pem" cannot be read (ENOENT)',
    ],
    [
      destination("type: webhook", "url: env:HOOK", "tls: { clientCert: x }"),
      "feed.yaml:5: destinations.a.tls: clientCert and clientKey go together",
    ],
    [
      destination("type: audit", "key: env:TRAIL"),
      "feed.yaml:2: destinations.a.directory: give directory or s3, one of them",
    ],
    [
      destination(
        "type: audit",
        "key: env:TRAIL",
        "s3: { bucket: A, accessKeyId: env:ID, secretAccessKey: env:ID }",
      ),
      'feed.yaml:5: destinations.a.s3.bucket: "A" is not allowed; allowed: name of a bucket',
    ],
    [
      "destinations:\n  a: {type: stdout}\n  b: {type: stdout, formerName: a}",
      'feed.yaml:3: destinations.b.formerName: "a" belongs to another',
    ],
  ])("%j", (text, problem) => {
    expect(problemsOf(text)).toEqual([expect.stringContaining(problem)]);
  });
});

it.each([
  ["nomad:events", true],
  ["a{b}c{}", true],
  ["a}{b}", true],
  ["a{b", true],
  ["a{}b{c}", false],
  ["a{}b", false],
  ["a}b", false],
])("a stream of Redis has a name beside which another key lies in a cluster: %s", (stream, isTaken) => {
  const lines = destination("type: redis", "url: redis://other:6379/0", `stream: "${stream}"`);
  expect(
    problemsOf(lines).map((one) => one.includes(`destinations.a.stream: "${stream}" is not allowed`)),
  ).toEqual(isTaken ? [] : [true]);
});

describe("a secret", () => {
  const SECRET = "s3cr3t-Xy7";

  it.each([
    ["url with a password", ["type: webhook", `url: https://me:${SECRET}@hooks.example`]],
    ["signing secret", ["type: webhook", "url: env:HOOK", `secrets: [env:SIGNING, ${SECRET}]`]],
    ["signing secret alone", ["type: webhook", "url: env:HOOK", `secrets: ${SECRET}`]],
    ["header", ["type: webhook", "url: env:HOOK", `headers: { X-Api-Key: ${SECRET} }`]],
    ["header of two lines", ["type: webhook", "url: env:HOOK", `headers: { X-Team: "a\\n${SECRET}" }`]],
    [
      "password",
      [
        "type: kafka",
        "brokers: a:9092",
        "topic: t",
        `sasl: { mechanism: PLAIN, username: env:HOOK, password: ${SECRET} }`,
      ],
    ],
    ["password in the place of a map", ["type: kafka", "brokers: a:9092", "topic: t", `sasl: ${SECRET}`]],
    ["password of Redis", ["type: redis", "stream: s", `url: redis://:${SECRET}@other:6379`]],
    ["password under a wrong key", ["type: stdout", `password: ${SECRET}`]],
    ["reference that cannot be one", ["type: webhook", `url: "env:${SECRET}"`]],
    ["token of NATS", ["type: nats", "servers: a:4222", `credentials: { token: ${SECRET} }`]],
  ])("that stands in the file is refused and not quoted: %s", (_what, lines) => {
    const problems = problemsOf(destination(...lines));
    expect(problems).toHaveLength(1);
    expect(problems.join()).toMatch(/^feed.yaml:\d+: destinations\.a\.\w+/);
    expect(problems.join()).not.toContain(SECRET);
  });

  it.each([
    ["env:NOWHERE", "the variable NOWHERE is not set"],
    ["env:EMPTY", "the variable EMPTY is not set"],
    ["file:no-such-file", "the file no-such-file cannot be read (ENOENT)"],
    ["env:PASSWORD", "env:PASSWORD holds something else (not shown); allowed: an address"],
  ])("behind %s is missing: the destination and the field are named", (reference, reason) => {
    const problems = problemsOf(destination("type: webhook", `url: ${reference}`), { ...ENV, EMPTY: " " });
    expect(problems).toEqual([expect.stringContaining(`feed.yaml:4: destinations.a.url: ${reason}`)]);
    expect(problems.join()).not.toContain(ENV.PASSWORD);
  });

  it("in an address may stand behind a reference", () => {
    const env = { HOOK: "https://me:s3cr3t@hooks.example/x" };
    expect(resolve(destination("type: webhook", "url: env:HOOK"), env)).toHaveLength(1);
  });

  it("may stand in a file", () => {
    writeFileSync(path("url"), "https://hooks.example/x\n");
    expect(resolve(destination("type: webhook", `url: file:${path("url")}`))).toHaveLength(1);
  });
});

it("every field of every type is described, in the JSON Schema of the file too", () => {
  const { properties } = configFileSchema() as {
    properties: Record<string, { additionalProperties?: object }>;
  };
  expect(properties["destinations"]?.additionalProperties).toMatchObject({
    oneOf: [
      ...[...DESTINATION_SCHEMAS.keys()].map((type) => ({
        additionalProperties: false,
        properties: { type: { const: type }, from: { description: expect.any(String) as string } },
      })),
      ...[...TOLD_SCHEMAS.keys()].map((type) => ({
        additionalProperties: false,
        properties: { type: { const: type } },
      })),
    ],
  });
  for (const schema of [...DESTINATION_SCHEMAS.values(), ...TOLD_SCHEMAS.values()]) {
    const fields = fieldsOf(schema);
    expect(fields.length).toBeGreaterThan(5);
    expect(fields.filter(({ description }) => description === "")).toEqual([]);
    expect(fields.filter((field) => field.allowed === undefined && field.path[0] !== "type")).toEqual([]);
  }
});

it("`config` shows destinations with their references, and no secret", async () => {
  writeFileSync(
    path("feed.yaml"),
    destination(
      "type: webhook",
      "url: https://hooks.example/T1/very-secret?key=1",
      "secrets: [env:SIGNING]",
      "headers: { X-Team: some words, Authorization: env:PASSWORD }",
      "types: [jobs, nodes]",
      "timeout: 90s",
    ) + "\nredaction:\n  - paths: /Meta/*\n    patterns: [hunter2]\n",
  );
  const flags = ["config", "--config", path("feed.yaml")];
  const texts = [await runCli(flags, { env: ENV }), await runCli([...flags, "--json"], { env: ENV })].map(
    ({ stdout }) => stdout,
  );
  expect(texts[0]).toMatch(/^ {2}a \(file .*feed.yaml:2\)$/m);
  expect(texts[0]).toMatch(/^ {4}url +https:\/\/hooks.example\/…$/m);
  expect(texts[0]).toMatch(/^ {4}secrets +env:SIGNING$/m);
  expect(texts[0]).toMatch(/^ {4}headers.X-Team +\[redacted\]$/m);
  expect(texts[0]).toMatch(/^ {4}types +jobs,nodes$/m);
  expect(texts[0]).toMatch(/^ {4}timeout +1m30s$/m);
  expect(texts[0]).toMatch(/^Redaction\n {2}paths: \/Meta\/\*; patterns: 1 \(not shown\)$/m);
  expect(JSON.parse(texts[1] ?? "")).toMatchObject({
    redaction: [{ paths: ["/Meta/*"], patterns: "1 (not shown)" }],
    destinations: [
      { name: "a", settings: { "batch.bytes": "256KiB", "headers.Authorization": "env:PASSWORD" } },
    ],
  });
  expect(texts.join()).not.toMatch(/very-secret|hunter2|some words|MfKQ9r8/);
});

describe("rules of redaction", () => {
  const of = (text: string) => {
    writeFileSync(path("feed.yaml"), text);
    return resolveConfig({ flags: { config: path("feed.yaml") }, env: {}, language: FILTER_LANGUAGE }).config
      .redaction;
  };

  it("are read", () => {
    expect(
      of(
        "redaction:\n  - paths: [/Meta/*, /**/Token]\n    resources: jobs,nodes\n  - patterns: [a, 'b,c']\n    namespaces: [ops]\n",
      ),
    ).toEqual([
      { paths: ["/Meta/*", "/**/Token"], resources: ["jobs", "nodes"] },
      { patterns: ["a", "b,c"], namespaces: ["ops"] },
    ]);
    expect(of("cluster: a")).toEqual([]);
  });

  it.each([
    ["redaction: {}", "feed.yaml:1: redaction: is not a list"],
    [
      "redaction:\n  - resources: [jobs]",
      "feed.yaml:2: redaction[0]: redacts nothing; allowed: paths, patterns, or both",
    ],
    [
      "redaction:\n  - paths: [Meta]",
      'feed.yaml:2: redaction[0].paths[0]: "Meta" is not allowed; allowed: JSON Pointers',
    ],
    [
      "redaction:\n  - paths: /a\n    resources: job",
      'feed.yaml:3: redaction[0].resources: "job" is not allowed; allowed: jobs,',
    ],
    [
      "redaction:\n  - patterns:\n    - ok\n    - hunter2(",
      "feed.yaml:4: redaction[0].patterns[1]: is no regular expression: position 8",
    ],
    [
      "redaction:\n  - pathes: [/a]",
      "feed.yaml:2: redaction[0].pathes: there is no such key; did you mean paths?",
    ],
  ])("%j is refused, and no pattern is quoted", (text, problem) => {
    const problems = problemsOf(text).join("\n");
    expect(problems).toContain(problem);
    expect(problems).not.toContain("hunter2");
  });
});

describe("destinations of alerts", () => {
  const read = (text: string) => {
    writeFileSync(path("feed.yaml"), text);
    return resolveConfig({ flags: { config: path("feed.yaml") }, env: ENV, language: FILTER_LANGUAGE })
      .config;
  };

  it("are read beside the others, and get no events", () => {
    const config = read(
      "destinations:\n  am:\n    type: alertmanager\n    urls: http://a:9093,http://b:9093\n    headers: { Authorization: env:PASSWORD }\n",
    );
    expect(config.destinations).toEqual([]);
    expect(config.alertDestinations).toMatchObject([
      {
        name: "am",
        line: 2,
        settings: { urls: ["http://a:9093", "http://b:9093"], resend: 60_000, timeout: 10_000 },
      },
    ]);
  });

  it.each([
    ["urls: http://user:word@a:9093", "feed.yaml:4: destinations.am.urls: "],
    ["url: http://a:9093", "did you mean urls?"],
    [
      "urls: http://a:9093\n    headers: { Authorization: Bearer x }",
      "what stands here is a secret (not shown)",
    ],
    ["urls: http://a:9093\n    types: [jobs]", "destinations.am.types: there is no such key"],
    [
      "urls: http://a:9093\n    filter: severity = WARN",
      "feed.yaml:5: destinations.am.filter: filter, position 10",
    ],
    ["urls: http://a:9093\n    minSeverity: LOUD", "feed.yaml:5: destinations.am.minSeverity: "],
  ])("are refused by line and path where %j is wrong", (lines, problem) => {
    expect(() => read(`destinations:\n  am:\n    type: alertmanager\n    ${lines}\n`)).toThrow(problem);
  });
});

describe("the keys of an audit trail", () => {
  const trail = destination("type: audit", "directory: ./trail", "key: [env:ONE, env:TWO]");
  const [one, other] = [generateNoteKey("example.com/one"), generateNoteKey("example.com/other")];
  const successor = generateNoteKey("example.com/one");

  it("are of one name, while one takes the other's place", () => {
    const both = (TWO: string) => problemsOf(trail, { ONE: one.privateKey, TWO });
    expect(both(successor.privateKey)).toEqual([]);
    expect(both(other.privateKey)).toEqual([
      "feed.yaml:5: destinations.a.key: The keys of one audit trail have one name, which is the trail's. Given: example.com/one, example.com/other.",
    ]);
  });

  it("are whole", () => {
    const problems = problemsOf(trail, { ONE: one.privateKey, TWO: one.privateKey.slice(0, -8) });
    expect(problems).toEqual([
      expect.stringMatching(/^feed\.yaml:5: destinations\.a\.key: The private key /),
    ]);
    expect(problems.join()).not.toContain(one.privateKey.slice(-20, -8));
  });
});

describe("the destination that retention waits for", () => {
  it("is one of those that get events", () => {
    const trail = destination("type: stdout");
    expect(problemsOf(`retention-after: a\n${trail}`)).toEqual([]);
    expect(problemsOf(`retention-after: traal\n${trail.replace("a:", "trail:")}`)).toEqual([
      '--retention-after: there is no destination "traal" that gets events; did you mean trail?; allowed: trail',
    ]);
    expect(problemsOf("retention-after: trail")).toEqual([
      '--retention-after: there is no destination "trail" that gets events; the configuration file has no destination that gets events',
    ]);
  });
});
