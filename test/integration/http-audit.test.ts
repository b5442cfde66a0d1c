import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { TrailElsewhere, TrailPlace } from "../../src/http/trail-files.ts";
import { StaticTokens } from "../../src/http/access/static-tokens.ts";
import { writeBundle } from "../../src/tlog/bundle.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { bearer } from "../support/access-feed.ts";
import { TestFeed } from "../support/http-feed.ts";

const DATA = '{"large":true}';
const OBJECT = `objects/${createHash("sha256").update(DATA).digest("hex")}`;
const ENTRIES = "tile/entries/000";
/** Of 300 entries, as a verifier asks for them. */
const FILES: Record<string, string> = {
  checkpoint: `example.com/trail\n300\n${"A".repeat(43)}=\n\n— example.com/trail ${"A".repeat(92)}\n`,
  "tile/0/000": "a".repeat(8192),
  "tile/0/001.p/44": "b".repeat(44 * 32),
  "tile/1/000.p/1": "c".repeat(32),
  [ENTRIES]: "d".repeat(10_000),
  "tile/entries/001.p/44": "e".repeat(1000),
  [OBJECT]: DATA,
  // Written, and in no checkpoint yet.
  "tile/0/001.p/45": "f".repeat(45 * 32),
  "writer.lock": "",
};

let feed: TestFeed;
let root: string;
beforeEach(async () => {
  feed = await TestFeed.open();
  root = mkdtempSync(join(tmpdir(), "ncf-trail-"));
  for (const [path, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
});
afterEach(async () => {
  await feed[Symbol.asyncDispose]();
  rmSync(root, { recursive: true });
});

async function serve(...names: string[]): Promise<string> {
  const trails = () => names.map((name) => ({ name, directory: root }));
  const { url } = await feed.serve({}, { trails });
  return `${url}/v1/audit`;
}

/** Status and code of a refusal, and what it says; sent with the path as it is, which `fetch` would tidy. */
async function answerTo(
  url: string,
  path: string,
  method = "GET",
): Promise<{ status: number; body: string }> {
  const { hostname, port, pathname } = new URL(url);
  const asked = request({ hostname, port, method, path: `${pathname}/${path}` }).end();
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  const chunks = await Array.fromAsync(response as AsyncIterable<Buffer>);
  return { status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() };
}

describe("an audit trail over HTTP", () => {
  it.each([
    ["checkpoint", "text/plain; charset=utf-8", "no-cache"],
    ["tile/0/000", "application/octet-stream", "public, max-age=31536000, immutable"],
    ["tile/0/001.p/44", "application/octet-stream", "public, max-age=31536000, immutable"],
    ["tile/1/000.p/1", "application/octet-stream", "public, max-age=31536000, immutable"],
    [ENTRIES, "application/octet-stream", "public, max-age=31536000, immutable"],
    ["tile/entries/001.p/44", "application/octet-stream", "public, max-age=31536000, immutable"],
    [OBJECT, "application/json; charset=utf-8", "public, max-age=31536000, immutable"],
  ])("has its %s, with its name and without", async (path, type, caching) => {
    const url = await serve("trail");
    for (const prefix of [url, `${url}/trail`]) {
      const response = await fetch(`${prefix}/${path}`);
      expect(response.status).toBe(200);
      expect(response.headers.get("content-type")).toBe(type);
      expect(response.headers.get("cache-control")).toBe(caching);
      expect(await response.text()).toBe(FILES[path]);
    }
  });

  it("compresses entries for who takes that, and for nobody else", async () => {
    const url = await serve("trail");
    const encodingFor = async (accepted: string) => {
      const response = await fetch(`${url}/${ENTRIES}`, { headers: { "accept-encoding": accepted } });
      expect(await response.text()).toBe(FILES[ENTRIES]);
      expect(response.headers.get("vary")).toContain("Accept-Encoding");
      return response.headers.get("content-encoding");
    };
    expect(await encodingFor("br, gzip")).toBe("gzip");
    expect(await encodingFor("gzip;q=0.5")).toBe("gzip");
    expect(await encodingFor("gzip;q=0, identity")).toBeNull();
    expect(await encodingFor("identity")).toBeNull();
  });

  it("has nothing that the standard does not name, however it is written", async () => {
    const url = await serve("trail");
    for (const path of [
      "writer.lock",
      "tile",
      "tile/0/0",
      "tile/00/000",
      "tile/64/000",
      "tile/0/000.p/256",
      "tile/0/000.p/0",
      "tile/0/000.p/01",
      "tile/0/x000/000",
      "tile/0/../entries/000",
      "tile/0/%2e%2e/%2e%2e/checkpoint",
      "../../etc/passwd",
      "trail/../../checkpoint",
      "..%2fcheckpoint",
      "objects/..%2fcheckpoint",
      `objects/${"A".repeat(64)}`,
      "daily/2026-11-29.jsonl.gz",
    ]) {
      const { status, body } = await answerTo(url, path);
      expect([path, status, JSON.parse(body)]).toMatchObject([path, 404, { code: "NOT_FOUND" }]);
    }
  });

  it("serves nothing that its checkpoint does not cover, and says what is gone", async () => {
    const url = await serve("trail");
    const told = async (path: string) => JSON.parse((await answerTo(url, path)).body) as unknown;
    expect(await told("tile/0/001.p/45")).toMatchObject({
      code: "NO_TRAIL",
      message: "The audit trail trail has no tile/0/001.p/45: its checkpoint has 300 entries",
    });
    expect(await told("tile/1/000")).toMatchObject({ code: "NO_TRAIL" });
    rmSync(join(root, ENTRIES));
    expect(await told(ENTRIES)).toMatchObject({
      code: "NO_TRAIL",
      hint: "It was taken away: audit verify tells what is missing",
    });
  });

  it("has what is full by now as it was when it was partial", async () => {
    writeFileSync(
      join(root, ENTRIES),
      writeBundle([Buffer.from("one"), Buffer.from("two"), Buffer.from("three")]),
    );
    const url = await serve("trail");
    const bytesOf = async (path: string) => Buffer.from(await (await fetch(`${url}/${path}`)).arrayBuffer());
    expect(await bytesOf("tile/0/000.p/7")).toEqual(Buffer.from("a".repeat(7 * 32)));
    expect(await bytesOf(`${ENTRIES}.p/2`)).toEqual(writeBundle([Buffer.from("one"), Buffer.from("two")]));
  });

  it("says which trails there are, and that another machine has it", async () => {
    const told = async (url: string, path: string) => {
      const { status, body } = await answerTo(url, path);
      return [status, JSON.parse(body)] as unknown[];
    };
    expect(await told(await serve(), "checkpoint")).toMatchObject([
      404,
      { code: "NO_TRAIL", message: "The configuration has no destination of the type audit" },
    ]);
    const both = await serve("one", "two");
    expect(await told(both, "checkpoint")).toMatchObject([
      404,
      { message: "There are 2 audit trails", hint: "Ask for /v1/audit/one/ or /v1/audit/two/" },
    ]);
    expect(await told(both, "three/checkpoint")).toMatchObject([
      404,
      { message: 'There is no audit trail "three"' },
    ]);
    expect((await answerTo(both, "two/checkpoint")).status).toBe(200);
    rmSync(join(root, "checkpoint"));
    expect(await told(both, "two/checkpoint")).toMatchObject([
      404,
      {
        code: "NO_TRAIL",
        message: "The directory of the audit trail two has no checkpoint on the machine that answers",
      },
    ]);
  });

  it("says where it is, where that is a bucket, which the feed does not serve", async () => {
    const inBucket = (name: string) => ({ name, bucket: `s3://trails/${name}` });
    const told = async (trails: readonly (TrailPlace | TrailElsewhere)[], path: string) => {
      const { url } = await feed.serve({}, { trails: () => trails });
      const { status, body } = await answerTo(`${url}/v1/audit`, path);
      return [status, body];
    };
    const directory = { name: "here", directory: root };
    const elsewhere = [
      404,
      expect.stringMatching(
        /NO_TRAIL.*audit trail prod is in s3:\/\/trails\/prod: .*audit verify s3:\/\/trails\/prod/s,
      ),
    ];
    expect(await told([inBucket("prod")], "checkpoint")).toEqual(elsewhere);
    expect(await told([inBucket("prod")], "prod/tile/0/000")).toEqual(elsewhere);
    expect(await told([directory, inBucket("prod")], "prod/checkpoint")).toEqual(elsewhere);
    expect(await told([directory, inBucket("prod")], "checkpoint")).toEqual([200, FILES["checkpoint"]]);
    expect(await told([inBucket("prod"), inBucket("qa")], "checkpoint")).toEqual([
      404,
      expect.stringContaining("Ask for /v1/audit/prod/ or /v1/audit/qa/"),
    ]);
  });

  it("is only read", async () => {
    const url = await serve("trail");
    for (const path of ["checkpoint", "tile/0/x001/x234/067.p/9", "trail/tile/entries/000"])
      expect((await answerTo(url, path, "POST")).status).toBe(405);
  });

  it("is for tokens that may see the whole feed", async () => {
    const tokensFile = join(root, "tokens.yaml");
    const hashed = (name: string, resources: string[], namespaces: string[]) => {
      const sha256 = createHash("sha256").update(tokenOf(name)).digest("hex");
      return { name, sha256, resources, namespaces };
    };
    const tokens = [
      hashed("all", ["*"], ["*"]),
      hashed("jobs", ["jobs"], ["*"]),
      hashed("prod", ["*"], ["prod"]),
    ];
    writeFileSync(tokensFile, JSON.stringify({ tokens }));
    const known = new StaticTokens(tokensFile, { logger: silentLogger(), clock: systemClock });
    const trails = () => [{ name: "trail", directory: root }];
    const { url } = await feed.serve({}, { trails, authenticators: [known] });
    const answered = async (name?: string) =>
      fetch(`${url}/v1/audit/${ENTRIES}`, name === undefined ? {} : { headers: bearer(tokenOf(name)) });
    const seen = await answered("all");
    expect([seen.status, seen.headers.get("cache-control")]).toEqual([
      200,
      "private, max-age=31536000, immutable",
    ]);
    expect([(await answered("jobs")).status, (await answered("prod")).status]).toEqual([403, 403]);
    expect((await answered()).status).toBe(401);
  });
});

function tokenOf(name: string): string {
  return `token-of-${name}-of-the-audit-trail`;
}
