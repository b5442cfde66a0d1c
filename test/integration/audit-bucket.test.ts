import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openAudit } from "../../src/publishers/audit/audit.ts";
import type { Destination, Outgoing, SendResult } from "../../src/publishers/delivery/destination.ts";
import { auditSettingsSchema } from "../../src/schemas/destinations/audit.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { readWholeTrail } from "../support/audit-trail.ts";
import { runCli } from "../support/cli.ts";
import { destinationDeps } from "../support/destination-deps.ts";
import { outgoing } from "../support/outgoing.ts";
import { S3Proxy } from "../support/s3-proxy.ts";
import { S3Server, s3Missing } from "../support/s3-server.ts";
import { skippedBecause } from "../support/skipped.ts";
import { until } from "../support/until.ts";
import { KEY } from "../support/written-trail.ts";

const missing = s3Missing();
const LARGE = 2;

describe.skipIf(missing !== undefined)(`an audit trail in a bucket${skippedBecause(missing)}`, () => {
  let server: S3Server;
  let proxy: S3Proxy;
  let prefix = "";
  let count = 0;
  const opened: Destination[] = [];
  beforeAll(async () => {
    server = await S3Server.start();
  });
  afterAll(() => server[Symbol.asyncDispose]());
  beforeEach(async () => {
    proxy = await S3Proxy.before(server.endpoint);
    prefix = `trail-${(count += 1)}`;
  });
  afterEach(async () => {
    await closeAll();
    await proxy[Symbol.asyncDispose]();
  });

  async function open(
    given: { readonly endpoint?: string; readonly secret?: string; readonly bucket?: string } = {},
  ) {
    const { endpoint = proxy.endpoint, secret = server.secretAccessKey, bucket = server.bucket } = given;
    const secrets: Record<string, string> = {
      "env:KEY": KEY.privateKey,
      "env:ID": server.accessKeyId,
      "env:SECRET": secret,
    };
    const s3 = {
      bucket,
      prefix,
      endpoint,
      accessKeyId: "env:ID",
      secretAccessKey: "env:SECRET",
      allowPrivate: true,
    };
    const settings = auditSettingsSchema.parse({ type: "audit", s3, key: "env:KEY" });
    const readSecret = (reference: string) => secrets[reference] ?? "";
    const clock = { ...systemClock, sleep: async () => {} };
    const destination = await openAudit(settings, destinationDeps({ name: "audit", readSecret, clock }));
    opened.push(destination);
    return destination;
  }

  async function closeAll(): Promise<void> {
    await Promise.all(opened.splice(0).map((each) => each[Symbol.asyncDispose]()));
  }

  const send = (destination: Destination, from: number, to: number): Promise<SendResult> =>
    destination.send(numbered(from, to), AbortSignal.timeout(60_000));
  const place = (path = "") => join(server.folder, prefix, path);
  const whole = () => readWholeTrail(place(), KEY.verifierKey);

  test.each(["lost", "unanswered"] as const)(
    "whose writer is killed at any write, which is %s, verifies; the next one goes on with it: every event once",
    async (fate) => {
      const first = prefix;
      let at = 0;
      for (let isOver = false; !isOver; at += 1) {
        prefix = `${first}-${at}`;
        proxy.takeWrites();
        proxy.fate = (write) => (write < at ? "done" : write === at ? fate : "lost");
        const killed = await open();
        let taken = 0;
        for (const end of [3, 258]) {
          if ((await send(killed, taken + 1, end)).outcome !== "ok") break;
          taken = end;
        }
        isOver = proxy.takeWrites() <= at;
        proxy.fate = () => "done";
        await closeAll();
        const next = await open();
        for (const end of [2, 258, 260])
          expect(await send(next, 1, end), `write ${at}`).toMatchObject({ outcome: "ok" });
        await closeAll();
        const { events } = whole();
        expect(taken).toBeLessThanOrEqual(events.length);
        expect(events.map(({ cursor }) => cursor)).toEqual(numbered(1, 260).map(({ cursor }) => cursor));
      }
      expect(at).toBeGreaterThan(12);
    },
  );

  test("has what was written to it, its objects too, and no partial tiles of what is full", async () => {
    const destination = await open();
    await send(destination, 1, 3);
    expect(await send(destination, 4, 300)).toMatchObject({ outcome: "ok" });
    const { events } = whole();
    expect(events).toHaveLength(300);
    const { dataref } = JSON.parse(events[LARGE - 1]?.json ?? "") as { dataref: string };
    expect(JSON.parse(await readFile(place(dataref), "utf8"))).toEqual({ text: "x".repeat(66_000) });
    await until("the partial tiles are gone", () => !existsSync(place("tile/0/000.p/4")));
  });

  test("goes over to the writer that opens it last; who had it signs nothing more until it opens it anew", async () => {
    const [one, other] = [await open(), await open()];
    expect(await send(one, 1, 10)).toMatchObject({ outcome: "ok" });
    expect(await send(other, 1, 20)).toMatchObject({ outcome: "ok" });
    expect(await send(one, 11, 30)).toMatchObject({
      outcome: "refused",
      why: "config",
      reason: expect.stringMatching(/^AUDIT_TRAIL_IN_USE: .*s3:\/\/audit\/trail-/) as string,
    });
    expect(whole().events).toHaveLength(20);
    expect(await send(one, 11, 30)).toMatchObject({ outcome: "ok" });
    expect(await send(other, 21, 40)).toMatchObject({ outcome: "refused" });
    expect(whole().events.map(({ cursor }) => cursor)).toEqual(numbered(1, 30).map(({ cursor }) => cursor));
  });

  test("is its writer's from when he opens it, before he has signed anything", async () => {
    const [one, other] = [await open(), await open()];
    await send(one, 1, 10);
    proxy.takeWrites();
    // Two that see whether conditions hold, and the one that takes the trail.
    proxy.fate = (write) => (write < 3 ? "done" : "lost");
    expect(await send(other, 1, 20)).toMatchObject({ outcome: "retry" });
    proxy.fate = () => "done";
    expect(await send(one, 11, 12)).toMatchObject({ outcome: "refused" });
    expect(await send(other, 11, 20)).toMatchObject({ outcome: "ok" });
    expect(whole().events).toHaveLength(20);
  });

  test("replaces what a killed writer left that was something else, and nothing that is signed", async () => {
    const destination = await open();
    await send(destination, 1, 3);
    await mkdir(dirname(place("tile/entries/000.p/6")), { recursive: true });
    await writeFile(place("tile/entries/000.p/6"), "another");
    expect(await send(destination, 4, 5)).toMatchObject({ outcome: "ok" });
    const other = await open();
    await send(other, 6, 6);
    const before = await readFile(place("tile/entries/000.p/7"));
    const changed = numbered(6, 6).map((event) => ({ ...event, json: event.json.replace("web", "WEB") }));
    expect(await destination.send(changed, AbortSignal.timeout(60_000))).toMatchObject({
      outcome: "refused",
    });
    expect(await readFile(place("tile/entries/000.p/7"))).toEqual(before);
    expect(whole().events).toHaveLength(6);
  });

  test("whose store does not answer is waited for until somebody stops it, and what was not taken is sent again", async () => {
    const destination = await open();
    await send(destination, 1, 3);
    server.pause();
    const stop = new AbortController();
    const sent = destination.send(numbered(4, 5), stop.signal);
    setImmediate(() => stop.abort(new Error("fenced")));
    await expect(sent).rejects.toThrow("fenced");
    server.resume();
    expect(await send(destination, 4, 6)).toMatchObject({ outcome: "ok" });
    expect(whole().events).toHaveLength(6);
  });

  test("takes what it is sent where one answer is lost, whichever", async () => {
    await send(await open(), 1, 1);
    for (let at = 0; at < 6; at += 1) {
      proxy.takeWrites();
      proxy.fate = (write) => (write === at ? "unanswered" : "done");
      expect(await send(await open(), at + 2, at + 2), `write ${at}`).toMatchObject({ outcome: "ok" });
    }
    expect(whole().events).toHaveLength(7);
  });

  test("whose store is not there is tried again", async () => {
    proxy.fate = () => "lost";
    expect(await send(await open(), 1, 3)).toMatchObject({
      outcome: "retry",
      reason: expect.stringMatching(/^s3:\/\/audit\/trail-\d+ cannot be reached/) as string,
    });
  });

  test.each<[string, object, RegExp]>([
    [
      "another secret",
      { secret: "wrong" },
      /^AUDIT_BUCKET_REFUSED: .*403 SignatureDoesNotMatch.*s3\.secretAccessKey/,
    ],
    ["another bucket", { bucket: "nowhere" }, /^AUDIT_BUCKET_REFUSED: .*404 NoSuchBucket.*s3\.bucket/],
  ])("says what to look at where the store refuses: %s", async (_what, given, says) => {
    expect(await send(await open(given), 1, 3)).toMatchObject({
      outcome: "refused",
      why: "config",
      reason: expect.stringMatching(says) as string,
    });
  });

  test.each(["if-none-match", "if-match"])(
    "is not written to a store that takes no heed of %s",
    async (header) => {
      proxy.withheld = [header];
      expect(await send(await open(), 1, 3)).toMatchObject({
        outcome: "refused",
        reason: expect.stringMatching(RegExp(`^AUDIT_BUCKET_UNCONDITIONAL: .*${header}`)) as string,
      });
    },
  );

  test("is verified, and proved from, by its address", async () => {
    await send(await open(), 1, 300);
    const { endpoint, accessKeyId, secretAccessKey } = server;
    const env = {
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_ENDPOINT_URL_S3: endpoint,
    };
    const run = (...args: readonly string[]) => runCli(["audit", ...args, "--key", KEY.verifierKey], { env });
    const address = `s3://audit/${prefix}`;
    expect(await run("verify", address)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("events      300, no gaps, one epoch") as string,
    });
    const proof = place("../proof");
    await writeFile(proof, (await run("prove", "7", address)).stdout);
    expect(await run("check", proof)).toMatchObject({ code: 0 });
    const bundle = await readFile(place("tile/entries/000"));
    await writeFile(place("tile/entries/000"), bundle.fill("x", 1000, 1001));
    expect(await run("verify", address)).toMatchObject({ code: 3 });
    const nobody = await runCli(["audit", "verify", address, "--key", KEY.verifierKey]);
    expect(nobody).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("set AWS_ACCESS_KEY_ID") as string,
    });
  });
});

/** Among them one that is too large for an entry. */
function numbered(from: number, to: number): Outgoing[] {
  const numbers = Array.from({ length: to - from + 1 }, (_, at) => from + at);
  return numbers.map((number) =>
    outgoing(number, number === LARGE ? { data: { text: "x".repeat(66_000) } } : {}),
  );
}
