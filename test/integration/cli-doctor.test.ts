import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Check } from "../../src/commands/support/checks/check.ts";
import { runCli } from "../support/cli.ts";
import { skippedBecause } from "../support/skipped.ts";
import { smallDisk, smallDiskMissing } from "../support/small-disk.ts";
import { openSqlite } from "../support/sqlite-files.ts";

const LIMITED = "11111111-2222-3333-4444-555555555555";
const UNKNOWN = "99999999-2222-3333-4444-555555555555";

const noDisk = smallDiskMissing();

/** As much of Nomad as `doctor` asks. The token LIMITED may list jobs in `default` and nothing else. */
interface FakeNomad {
  leader: string;
  version: string;
  maxConnections: number;
  expiresInMs: number | undefined;
  namespaces: readonly string[];
  date: Date | undefined;
}

let folder: string;
let nomad: FakeNomad;
let server: Server;
let address: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ncf-doctor-"));
  nomad = {
    leader: "10.0.0.1:4647",
    version: "2.0.5",
    maxConnections: 100,
    expiresInMs: undefined,
    namespaces: ["default", "qa"],
    date: undefined,
  };
  server = createServer((request, response) => {
    const url = new URL(request.url ?? "", "http://x");
    const token = request.headers["x-nomad-token"];
    const { status, body } =
      token === UNKNOWN && url.pathname !== "/v1/status/leader" ? DENIED : answer(url, token === LIMITED);
    if (nomad.date !== undefined) response.setHeader("date", nomad.date.toUTCString());
    response.writeHead(status, { "content-type": "application/json", "x-nomad-index": "5" });
    response.end(status === 200 ? JSON.stringify(body) : String(body));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true });
});

const DENIED = { status: 403, body: "Permission denied" };

function answer(url: URL, limited: boolean): { status: number; body: unknown } {
  switch (url.pathname) {
    case "/v1/status/leader":
      return { status: 200, body: nomad.leader };
    case "/v1/agent/self":
      return limited ? DENIED : { status: 200, body: agentSelf() };
    case "/v1/acl/token/self":
      return limited ? { status: 200, body: tokenSelf() } : { status: 400, body: "ACL support disabled" };
    case "/v1/namespaces":
      return { status: 200, body: nomad.namespaces.map((Name) => ({ Name })) };
    case "/v1/jobs":
      return limited && url.searchParams.get("namespace") !== "default" ? DENIED : { status: 200, body: [] };
    default:
      return limited ? DENIED : { status: 200, body: [] };
  }
}

function agentSelf(): object {
  const limits = { HTTPMaxConnsPerClient: nomad.maxConnections };
  const config = {
    Version: { Version: nomad.version },
    Region: "global",
    ACL: { Enabled: false },
    Limits: limits,
  };
  return { config, member: { Name: "n1", Tags: { build: nomad.version, region: "global" } } };
}

function tokenSelf(): object {
  const { expiresInMs } = nomad;
  const ExpirationTime = expiresInMs === undefined ? null : new Date(Date.now() + expiresInMs).toISOString();
  return {
    AccessorID: LIMITED,
    SecretID: "hunter2",
    Name: "feed",
    Type: "client",
    Policies: ["p"],
    ExpirationTime,
  };
}

function here(): string[] {
  return ["--feed", `sqlite:${join(folder, "feed.db")}`, "--listen", "127.0.0.1:0"];
}

async function doctor(...args: string[]): Promise<{ code: number; checks: Check[]; stdout: string }> {
  const { code, stdout } = await runCli(["doctor", "--json", "--nomad-addr", address, ...here(), ...args]);
  return { code, stdout, checks: JSON.parse(stdout) as Check[] };
}

function named(checks: readonly Check[], name: string): Check | undefined {
  return checks.find((check) => check.name === name);
}

describe("doctor", () => {
  it("finds nothing wrong where nothing is", async () => {
    const { code, checks } = await doctor();
    expect(checks.filter(({ status }) => status !== "ok")).toEqual([]);
    expect(code).toBe(0);
    expect(named(checks, "version")?.message).toContain("2.0.5");
    expect(named(checks, "rights: jobs")?.message).toContain("2 namespaces");
    expect(named(checks, "connections")?.message).toMatch(/^10 of .*Nomad allows 100/);
  });

  it("finds a log of another cluster or region, which run would refuse", async () => {
    const path = join(folder, "feed.db");
    await (await openSqlite({ path, source: "nomad://prod/global" }))[Symbol.asyncDispose]();
    expect(named((await doctor("--cluster", "prod")).checks, "log")?.status).toBe("ok");
    const other = await doctor("--cluster", "x");
    expect(other.code).toBe(1);
    expect(named(other.checks, "log")).toMatchObject({
      status: "failure",
      message: `${path} belongs to nomad://prod/global, not to nomad://x/global`,
    });
    const region = await doctor("--cluster", "prod", "--nomad-region", "eu");
    expect(named(region.checks, "log")?.message).toContain("not to nomad://prod/eu");
  });

  it("names options as they are given", async () => {
    const wrong = ["--nomad-addr", "https://127.0.0.1:1", "--nomad-ca-cert", "/none.pem"];
    const { code, stderr } = await runCli(["doctor", ...here(), ...wrong]);
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^error: --nomad-ca-cert \/none\.pem cannot be read: .*\nhint: Correct --nomad-ca-cert \(.*NOMAD_CACERT\)$/m,
    );
  });

  it("prints a line for each finding, with what to do", async () => {
    nomad.leader = "";
    const { code, stdout } = await runCli(["doctor", "--nomad-addr", address, ...here()]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^✓ nomad: http:\/\/127\.0\.0\.1:\d+ answers in \d+ ms$/m);
    expect(stdout).toMatch(/^✗ leader: the region has none\n {4}→ Look at/m);
  });

  it("looks at the files that say who may subscribe", async () => {
    const file = join(folder, "tokens.yaml");
    const flags = ["--auth", "tokens", "--auth-tokens-file", file];
    await writeFile(
      file,
      `tokens:\n  - { name: a, sha256: ${"0".repeat(64)}, namespaces: ["*"], resources: ["*"] }\n`,
    );
    expect(named((await doctor(...flags)).checks, "tokens")?.message).toBe(`${file}: 1 token`);
    await writeFile(file, "tokens:\n  - { name: a, namespaces: [a], resources: [jobs] }\n");
    const tls = ["--tls-cert", file, "--tls-key", file];
    const { code, checks } = await doctor(...flags, ...tls);
    expect(code).toBe(1);
    expect(named(checks, "tokens")?.message).toContain("give sha256 (better) or token");
    expect(named(checks, "tls")?.message).toContain("do not make a certificate");
  });

  it("says what the token lacks, and where", async () => {
    const { code, checks, stdout } = await doctor(
      "--nomad-token",
      LIMITED,
      "--resources",
      "jobs,nodes,allocations",
    );
    expect(code).toBe(1);
    expect(named(checks, "rights: jobs")).toMatchObject({
      status: "failure",
      message: "may not be listed in qa",
    });
    expect(named(checks, "rights: nodes")).toMatchObject({
      status: "failure",
      hint: expect.stringContaining("node:read"),
    });
    expect(named(checks, "rights: allocations")?.hint).toContain("read-job");
    expect(named(checks, "version")).toMatchObject({
      status: "warning",
      hint: expect.stringContaining("agent:read"),
    });
    expect(named(checks, "token")).toMatchObject({ status: "ok", message: "feed (client)" });
    expect(stdout).not.toContain("hunter2");
  });

  it("has one finding where the token may see no namespace", async () => {
    nomad.namespaces = [];
    const { code, checks } = await doctor();
    expect(code).toBe(1);
    expect(named(checks, "rights")).toMatchObject({
      status: "failure",
      message: "the token may see no namespace",
    });
    expect(named(checks, "rights: jobs")).toBeUndefined();
    expect(named(checks, "rights: nodes")?.status).toBe("ok");
  });

  it("says that Nomad does not know the token", async () => {
    const { code, checks } = await doctor("--nomad-token", UNKNOWN);
    expect(code).toBe(1);
    expect(named(checks, "token")).toMatchObject({ status: "failure", message: "Nomad does not know it" });
    expect(checks.filter(({ name }) => name === "nomad").map(({ status }) => status)).toEqual(["ok"]);
  });

  it("counts connections as the feed will plan them", async () => {
    nomad.namespaces = Array.from({ length: 30 }, (_, number) => `team-${number}`);
    expect(named((await doctor()).checks, "connections")).toMatchObject({
      status: "ok",
      message: expect.stringMatching(/^64 of --max-connections 80 .*together: evaluations, deployments$/),
    });
    const few = ["--max-connections", "10", "--namespaces", "default,qa"];
    expect(named((await doctor(...few)).checks, "connections")).toMatchObject({
      status: "warning",
      hint: expect.stringContaining("Raise --max-connections by 8"),
    });
  });

  it("warns of a token that ends soon, and fails on one that has ended", async () => {
    nomad.expiresInMs = 60_000;
    expect(named((await doctor("--nomad-token", LIMITED)).checks, "token")?.status).toBe("warning");
    nomad.expiresInMs = -60_000;
    expect(named((await doctor("--nomad-token", LIMITED)).checks, "token")?.status).toBe("failure");
  });

  it("warns of a low connection limit, an old Nomad and a clock that is off", async () => {
    nomad = { ...nomad, maxConnections: 20, version: "1.1.2", date: new Date(Date.now() - 60_000) };
    const { code, checks } = await doctor();
    expect(code).toBe(0);
    for (const name of ["connections", "version", "clock"])
      expect(named(checks, name)?.status).toBe("warning");
    expect(named(checks, "connections")?.hint).toContain("--max-connections below 20");
  });

  it("fails, and still looks at the rest, where Nomad does not answer", async () => {
    server.close();
    server.closeAllConnections();
    const { code, checks } = await doctor();
    expect(code).toBe(1);
    expect(named(checks, "nomad")).toMatchObject({
      status: "failure",
      message: expect.stringContaining(address),
    });
    expect(named(checks, "log")?.status).toBe("ok");
  });

  it("knows a log that is in use, one that is no log, and a directory that is missing", async () => {
    const path = join(folder, "feed.db");
    const log = await openSqlite({ path, source: "nomad://nomad/global" });
    expect(named((await doctor()).checks, "log")).toMatchObject({ status: "warning" });
    await log[Symbol.asyncDispose]();
    expect(named((await doctor()).checks, "log")).toMatchObject({
      status: "ok",
      message: expect.stringContaining("0 events"),
    });
    await writeFile(join(folder, "other.db"), "something else");
    const other = await doctor("--feed", `sqlite:${join(folder, "other.db")}`);
    expect(named(other.checks, "log")).toMatchObject({ status: "failure" });
    const missing = await doctor("--feed", `sqlite:${join(folder, "none", "feed.db")}`);
    expect(named(missing.checks, "log")).toMatchObject({
      status: "failure",
      hint: expect.stringContaining("--feed"),
    });
  });

  it.skipIf(noDisk !== undefined)(
    `says what to do on a disk that is read-only${skippedBecause(noDisk)}`,
    async () => {
      using _ = smallDisk(folder, "64k", "ro");
      expect(named((await doctor()).checks, "log")).toMatchObject({
        status: "failure",
        message: expect.stringContaining("EROFS"),
        hint: expect.stringContaining("--feed"),
      });
    },
  );

  it("fails where the port is taken by something else", async () => {
    const { code, checks } = await doctor("--listen", new URL(address).host);
    expect(code).toBe(1);
    expect(named(checks, "port")).toMatchObject({
      status: "failure",
      hint: expect.stringContaining("--listen"),
    });
  });

  it("looks at the port of the stand-in for Nomad's event stream too", async () => {
    const taken = new URL(address).host;
    expect(named((await doctor("--compat-listen", taken)).checks, "compat port")).toBeUndefined();
    const { code, checks } = await doctor("--compat", "nomad-events", "--compat-listen", taken);
    expect(code).toBe(1);
    expect(named(checks, "port")?.status).toBe("ok");
    expect(named(checks, "compat port")).toMatchObject({
      status: "failure",
      message: `${taken} is in use`,
      hint: "Choose another with --compat-listen",
    });
  });

  it("warns of a namespace that Nomad does not show", async () => {
    expect((await doctor("--namespaces", "default,qa")).checks.every(({ status }) => status === "ok")).toBe(
      true,
    );
    const { code, checks } = await doctor("--namespaces", "default,prdo");
    expect(code).toBe(0);
    expect(named(checks, "namespaces")).toMatchObject({
      status: "warning",
      message: expect.stringMatching(/\bprdo\b/),
      hint: expect.stringContaining("--namespaces"),
    });
  });
});
