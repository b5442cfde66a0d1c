import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ConfigInvalid } from "../../src/config/errors.ts";
import { configFileSchema } from "../../src/config/json-schema.ts";
import { nearestName } from "../../src/schemas/nearest.ts";
import {
  OPTION_NAMES,
  optionEnv,
  optionFlag,
  OPTIONS,
  type OptionDefinition,
  type OptionName,
  type OptionValues,
} from "../../src/config/options.ts";
import { resolveConfig } from "../../src/config/resolve.ts";
import { readOptions } from "../../src/config/sources.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ncf-config-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(text: string): string {
  const path = join(folder, `${Math.random().toString(36).slice(2)}.yaml`);
  writeFileSync(path, text);
  return path;
}

function resolve(flags: Partial<Record<OptionName, string>> = {}, env: Record<string, string> = {}) {
  return resolveConfig({ flags, env });
}

function problemsOf(flags: Partial<Record<OptionName, string>>, env: Record<string, string> = {}) {
  try {
    resolve(flags, env);
  } catch (error) {
    if (error instanceof ConfigInvalid) return error.problems;
    throw error;
  }
  return [];
}

describe("precedence", () => {
  it("is flag, environment, file, default, and every origin is told", () => {
    const path = file("wait: 10s\nmax-connections: 20\nbaseline: events\n");
    const { config, origins } = resolve(
      { config: path, wait: "30s" },
      { NCF_WAIT: "20s", NCF_MAX_CONNECTIONS: "40" },
    );
    expect(config).toMatchObject({
      waitMs: 30_000,
      maxConnections: 40,
      baseline: "events",
      maxEventBytes: 65_536,
    });
    expect(
      [origins.wait, origins.maxConnections, origins.baseline, origins.maxEventBytes].map((o) => o.text),
    ).toEqual(["flag --wait", "environment NCF_MAX_CONNECTIONS", `file ${path}:3`, "default"]);
  });

  it("takes the file's name from the environment, and a variable set to nothing as not set", () => {
    const { config } = resolve({}, { NCF_CONFIG: file("cluster: prod"), NOMAD_REGION: "" });
    expect(config.cluster).toBe("prod");
    expect(config.nomad).not.toHaveProperty("region");
  });

  it("reads Nomad's own variables", () => {
    const { config } = resolve(
      {},
      {
        NOMAD_ADDR: "https://a:4646,https://b:4646",
        NOMAD_TOKEN: "secret",
        NOMAD_CACERT: "ca.pem",
        NOMAD_SKIP_VERIFY: "T",
        NOMAD_NAMESPACE: "task",
      },
    );
    expect(config.nomad).toMatchObject({
      addresses: ["https://a:4646", "https://b:4646"],
      token: "secret",
      caCert: "ca.pem",
      skipVerify: true,
    });
    expect(config.namespaces).toBe("*");
  });

  it("uses the token file before a token that is as strong or weaker", () => {
    const both = { NOMAD_TOKEN: "t", NOMAD_TOKEN_FILE: "f" };
    expect(resolve({}, both).config.nomad).toMatchObject({ tokenFile: "f" });
    expect(resolve({}, both).config.nomad).not.toHaveProperty("token");
    expect(resolve({ nomadToken: "mine" }, both).config.nomad).toMatchObject({ token: "mine" });
    expect(resolve({ nomadToken: "mine" }, both).config.nomad).not.toHaveProperty("tokenFile");
  });
});

describe("who may subscribe", () => {
  it.each<[Partial<Record<OptionName, string>>, RegExp]>([
    [{ auth: "none,nomad" }, /^--auth: none asks nobody/],
    [{ auth: "tokens" }, /^--auth: tokens needs --auth-tokens-file/],
    [{ authTokensFile: "t.yaml" }, /^--auth-tokens-file: nobody asks for its tokens/],
    [{ auth: "ldap" }, /^--auth: "ldap" is not allowed .*allowed: none; or tokens, nomad, or both/],
    [{ tlsCert: "a.pem" }, /^--tls-cert and --tls-key: give both or neither/],
    [{ tlsClientCa: "a.pem" }, /^--tls-client-ca: needs --tls-cert/],
    [{ allowOrigin: "app.example" }, /^--allow-origin: .*https:\/\/app\.example/],
    [{ openRoutes: "assignments" }, /^--open-routes: .*allowed: metrics, readyz/],
  ])("%j is refused", (flags, problem) => {
    expect(problemsOf(flags)).toEqual([expect.stringMatching(problem)]);
  });

  it("is nested as the server takes it", () => {
    const { config } = resolve({
      auth: "tokens,nomad",
      authTokensFile: "t.yaml",
      tlsCert: "c.pem",
      tlsKey: "k.pem",
      allowOrigin: "https://a.example,https://b.example",
      maxConnectionsPerAddress: "none",
    });
    expect(config.access).toEqual({
      tokensFile: "t.yaml",
      askNomad: true,
      openRoutes: [],
      allowOrigins: ["https://a.example", "https://b.example"],
      tls: { cert: "c.pem", key: "k.pem" },
      reads: { maxTimeMs: 30_000, maxStates: 100, maxStatesPerHolder: 20 },
      limits: { connectionsPerToken: 1000, requestsPerSecond: 200 },
      consumerLimits: { perToken: 100, total: 10_000 },
    });
  });
});

describe("values", () => {
  it.each([
    ["500ms", 500],
    ["1.5s", 1500],
    ["1h30m", 5_400_000],
    ["2d", 172_800_000],
  ])("reads the duration %s", (given, ms) => {
    expect(resolve({ retentionAge: given }).config.retention.maxAgeMs).toBe(ms);
  });

  it.each([
    ["64KiB", 65_536],
    ["1GB", 1e9],
    ["12345", 12_345],
    ["1.5MiB", 1_572_864],
  ])("reads the size %s", (given, bytes) => {
    expect(resolve({ retentionBytes: given }).config.retention.maxBytes).toBe(bytes);
  });

  it("reads counts, and none as no limit", () => {
    expect(
      resolve({ retentionEvents: "2M", retentionBytes: "none", retentionAge: "none" }).config.retention,
    ).toEqual({
      maxEvents: 2_000_000,
    });
  });

  it("reads YAML's own lists, numbers and booleans", () => {
    const path = file(
      "resources: [jobs, nodes]\nmax-connections: 12\nnomad-skip-verify: yes\nnamespaces:\n  - a\n  - b\n",
    );
    expect(problemsOf({ config: path })[0]).toMatch(
      /--nomad-skip-verify: "yes" is not allowed .*allowed: true or false/,
    );
    const good = file(
      "resources: [jobs, nodes]\nmax-connections: 12\nnomad-skip-verify: true\nnamespaces:\n  - a\n  - b\n",
    );
    expect(resolve({ config: good }).config).toMatchObject({
      resources: ["jobs", "nodes"],
      maxConnections: 12,
      nomad: { skipVerify: true },
      namespaces: ["a", "b"],
    });
  });

  it("reads IPv6 listen addresses", () => {
    expect(resolve({ listen: "[::1]:0" }).config.listen).toEqual({ host: "::1", port: 0 });
  });

  it("prints every value so that it can be given again", () => {
    const { values } = resolve({ nomadRegion: "eu", retentionAge: "90061001ms" });
    const printed = printAll(values);
    expect(printed).toMatchObject({ nomadRegion: "eu", retentionAge: "1d1h1m1s1ms", retentionBytes: "4GiB" });
    expect(resolve(printed).values).toEqual(values);
  });
});

function printAll(values: OptionValues): Partial<Record<OptionName, string>> {
  const given = OPTION_NAMES.filter((name) => values[name] !== undefined);
  return Object.fromEntries(
    given.map((name) => [name, (OPTIONS[name] as OptionDefinition).type.print(values[name])]),
  );
}

describe("refusals", () => {
  it("names the option, the value, its source and what is allowed, for all bad values at once", () => {
    const path = file("\nbaseline: full\n");
    expect(problemsOf({ config: path, wait: "60" }, { NCF_LISTEN: "4650" })).toEqual([
      `--baseline: "full" is not allowed (file ${path}:2); allowed: marker, events`,
      `--wait: "60" is not allowed (flag --wait); allowed: a duration from 1s to 4m, such as 45s or 1m30s`,
      expect.stringMatching(
        /^--listen: "4650" is not allowed \(environment NCF_LISTEN\); allowed: a host and a port/,
      ),
    ]);
  });

  it.each<[OptionName, string, RegExp]>([
    ["feed", "postgres://localhost", /allowed: sqlite:/],
    ["wait", "5m", /from 1s to 4m/],
    ["resources", "jobs,pods", /did you mean jobs\?; allowed: all, core.* jobs, nodes/],
    ["nomadAddr", "127.0.0.1:4646", /allowed: addresses such as http/],
    ["maxEventBytes", "1", /from 4KiB to 16MiB/],
    ["maxConnections", "1.5", /whole number/],
    ["listen", "127.0.0.1:70000", /host and a port/],
    ["cluster", "a/b", /letters, digits/],
  ])("refuses --%s %s", (name, value, allowed) => {
    expect(problemsOf({ [name]: value })).toEqual([expect.stringMatching(allowed)]);
  });

  it("never quotes a secret", () => {
    const path = file("nomad-token: [hunter2]\nnomad-addr: ftp://user:hunter2@nomad\n");
    const problems = problemsOf({ config: path });
    expect(problems).toHaveLength(2);
    expect(problems.join("\n")).not.toContain("hunter2");
    const printed = OPTIONS.nomadAddr.type.print(
      resolve({ nomadAddr: "http://me:hunter2@nomad:4646" }).values.nomadAddr,
    );
    expect(printed).toBe("http://[redacted]@nomad:4646");
  });

  it("names the flags that do not go together", () => {
    expect(problemsOf({ nomadClientCert: "a.pem" })).toEqual([expect.stringContaining("--nomad-client-key")]);
    expect(problemsOf({ namespaces: "*,a" })).toEqual([expect.stringContaining("--namespaces")]);
    expect(problemsOf({ listen: "0.0.0.0:4650" })).toEqual([
      expect.stringMatching(/--listen: .*--insecure-no-auth/),
    ]);
    for (const listen of ["feed.localhost:4650", "[::ffff:127.0.0.1]:4650"]) {
      expect(problemsOf({ listen })).toEqual([]);
    }
    expect(problemsOf({ listen: "0.0.0.0:4650", insecureNoAuth: "true" })).toEqual([]);
    expect(problemsOf({ listen: "0.0.0.0:4650", auth: "nomad" })).toEqual([]);
  });

  it("refuses unknown keys of the file with the nearest name and the line", () => {
    const path = file("cluster: prod\nnamespace: a\nconfig: x\n");
    expect(problemsOf({ config: path })).toEqual([
      `${path}:2: there is no option "namespace"; did you mean namespaces?`,
      expect.stringContaining(`${path}:3: there is no option "config"`),
    ]);
  });

  it("tells unknown keys and values that cannot be used together", () => {
    const path = file("clustre: prod\nwait: soon\n");
    expect(problemsOf({ config: path, listen: "here" })).toEqual([
      expect.stringContaining(`${path}:1: there is no option "clustre"`),
      expect.stringContaining(`--wait: "soon" is not allowed (file ${path}:2)`),
      expect.stringContaining(`--listen: "here" is not allowed`),
    ]);
  });

  it("says where a file is not YAML, and that a file is missing", () => {
    expect(problemsOf({ config: file("a: [1\nb: 2") })[0]).toMatch(/yaml:\d: not valid YAML/);
    expect(problemsOf({ config: join(folder, "none.yaml") })[0]).toMatch(/^--config: .*ENOENT/);
    expect(problemsOf({ config: file("- wait") })[0]).toMatch(
      /has a list; allowed: lines such as `cluster: prod`/,
    );
    expect(problemsOf({ config: file("wait") })[0]).toMatch(/has a single value/);
    expect(problemsOf({ config: file("") })).toEqual([]);
  });

  it("warns of NCF_ variables that are no option", () => {
    expect(resolve({}, { NCF_LISTENS: "x", OTHER: "y" }).warnings).toEqual([
      "the variable NCF_LISTENS is not an option and is ignored; did you mean NCF_LISTEN?",
    ]);
  });
});

it("reads only the options asked for", () => {
  const { values } = readOptions(["feed"], {
    flags: {},
    env: { NCF_FEED: "sqlite:a.db", NOMAD_ADDR: "nonsense" },
  });
  expect(values.feed).toEqual({ kind: "sqlite", path: "a.db" });
});

it("names everything once", () => {
  const flags = OPTION_NAMES.map(optionFlag);
  const variables = OPTION_NAMES.map(optionEnv);
  expect(new Set(flags).size).toBe(flags.length);
  expect(new Set(variables).size).toBe(variables.length);
  expect(optionFlag("nomadTlsServerName")).toBe("--nomad-tls-server-name");
  expect(optionEnv("retentionAge")).toBe("NCF_RETENTION_AGE");
});

it("describes every key of the file in its JSON Schema, and nothing else", () => {
  const schema = configFileSchema() as {
    properties: Record<string, { description: string }>;
    additionalProperties: boolean;
  };
  expect(schema.additionalProperties).toBe(false);
  expect(Object.keys(schema.properties)).toHaveLength(OPTION_NAMES.length - 1 + 5);
  expect(schema.properties["baseline"]).toMatchObject({ enum: ["marker", "events"], default: "marker" });
  const { destinations, redaction, alerts, routes, feeds, ...options } = schema.properties;
  expect(destinations).toMatchObject({
    type: "object",
    propertyNames: { pattern: expect.any(String) as string },
  });
  expect(redaction).toMatchObject({ type: "array", items: { type: "object", additionalProperties: false } });
  expect(alerts).toMatchObject({
    anyOf: [{ const: "off" }, { type: "object", additionalProperties: false }],
  });
  expect(routes).toMatchObject({ type: "array", items: { $ref: "#/$defs/route" } });
  expect(feeds).toMatchObject({
    type: "array",
    items: {
      required: ["name"],
      additionalProperties: false,
      properties: {
        wait: { $ref: "#/properties/wait" },
        destinations: { $ref: "#/properties/destinations" },
      },
    },
  });
  expect(feeds).not.toHaveProperty("items.properties.listen");
  for (const property of Object.values(options)) expect(property.description).toMatch(/Flag --.*allowed: /);
});

it("finds the nearest name, and none where nothing is near", () => {
  expect(nearestName("alocations", ["jobs", "allocations"])).toBe("allocations");
  expect(nearestName("zzz", ["jobs", "allocations"])).toBeUndefined();
});
