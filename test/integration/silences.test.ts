import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Authenticator } from "../../src/http/access/identity.ts";
import { Silences } from "../../src/publishers/alerting/silences.ts";
import { ALL_RIGHTS } from "../../src/schemas/rights.ts";
import { silenceSchema, silencesSchema, type Silence } from "../../src/schemas/routes.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { runCli } from "../support/cli.ts";
import { TestFeed } from "../support/http-feed.ts";
import { TestClock } from "../support/test-clock.ts";

let clock: TestClock;
let feed: TestFeed;
let silences: Silences;
let url: string;
beforeEach(async () => {
  clock = new TestClock();
  feed = await TestFeed.open({ clock });
  silences = another();
  ({ url } = await feed.serve({}, { silences }));
});
afterEach(() => feed[Symbol.asyncDispose]());

const SILENCE = { matchers: { rules: ["*"] }, forMs: 3_600_000, createdBy: "somebody" };

/** As another worker has them. */
function another(): Silences {
  return new Silences({ log: feed.log, clock, logger: silentLogger() });
}

const silence = (...args: string[]) => runCli(["silence", ...args, "--url", url]);

async function added(...flags: string[]): Promise<Silence> {
  const { stdout } = await silence("add", "--for", "2h", "--json", ...flags);
  return silenceSchema.parse(JSON.parse(stdout));
}

describe("silence", () => {
  it("is added, listed and ended, the same at every worker", async () => {
    const until = new Date(clock.now() + 2 * 3_600_000).toISOString();
    const filter = "resource.job == web";
    const first = await added("--filter", filter, "--comment", "migration");
    expect(first).toMatchObject({ matchers: { filter }, endsAt: until, comment: "migration" });
    const told = await silence("add", "--rules", "Node*,Driver*", "--min-severity", "WARN", "--for", "30m");
    expect(told).toMatchObject({ code: 0, stderr: "" });
    expect(told.stdout).toMatch(
      /^rules Node\*,Driver\*, severity WARN and above is silent until \S+Z: [0-9a-f]{8}\n$/,
    );
    expect((await another().list()).map(({ matchers }) => matchers)).toEqual([
      { filter },
      { rules: ["Node*", "Driver*"], minSeverity: "WARN" },
    ]);
    const listed = await silence("list");
    expect(listed.stdout).toMatch(/^ID +UNTIL +BY$/m);
    expect(listed.stdout).toContain(`${first.id}  ${until.slice(0, 19)}Z`);
    expect(listed.stdout).toContain("  filter resource.job == web: migration\n");
    expect(await silence("end", first.id)).toMatchObject({
      code: 0,
      stdout: "filter resource.job == web is silent no longer\n",
    });
    expect(await another().list()).toHaveLength(1);
  });

  it("is not lost where another worker adds the very first one at the same time", async () => {
    let theirs: Promise<Silence> | undefined;
    const { documents } = feed.log;
    const slow = new Silences({
      log: {
        documents: {
          get: (name) => documents.get(name),
          claim: async (name, owner) => {
            await (theirs ??= another().add({ ...SILENCE, comment: "theirs" }));
            return documents.claim(name, owner);
          },
          change: (name, fence, text) => documents.change(name, fence, text),
          list: (prefix) => documents.list(prefix),
          save: (name, fence, text) => documents.save(name, fence, text),
          remove: (name) => documents.remove(name),
        },
      },
      clock,
      logger: silentLogger(),
    });
    await slow.add({ ...SILENCE, comment: "ours" });
    expect((await silences.list()).map(({ comment }) => comment)).toEqual(["theirs", "ours"]);
  });

  it("ends by itself when its time is over", async () => {
    await added("--rules", "*");
    expect((await silence("list")).stdout).toContain("rules *");
    await clock.advance(2 * 3_600_000);
    expect((await silence("list")).stdout).toBe("nothing is silenced\n");
  });

  it("is refused with what is allowed, and then nothing is silenced", async () => {
    expect(await silence("add", "--for", "2h")).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /Say which alerts to silence: --filter, --rules or --min-severity\n.*--rules '\*'/,
      ) as string,
    });
    expect(await silence("add", "--for", "2h", "--min-severity", "LOUD")).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/LOUD.*\nallowed: TRACE, DEBUG, INFO, WARN, ERROR, FATAL\n/) as string,
    });
    expect(await silence("add", "--rules", "*")).toMatchObject({ code: 2 });
    const wrong = await silence("add", "--for", "2h", "--filter", "resource.job = web");
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toMatch(/position 14/);
    const bad = await fetch(`${url}/v1/silences?rules=*&for=never`, { method: "POST" });
    expect(await bad.json()).toMatchObject({ code: "INVALID_PARAMETER", field: "for" });
    expect(await silence("end", "nosuch")).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /There is no silence "nosuch".*\nhint: `nomad-changefeed silence` lists them\n/,
      ) as string,
    });
    const missing = await fetch(`${url}/v1/silences/nosuch`, { method: "DELETE" });
    expect({ status: missing.status, body: await missing.json() }).toMatchObject({
      status: 404,
      body: { code: "NO_SILENCE" },
    });
    expect(await silences.list()).toEqual([]);
  });

  it("none is lost where several people add at once", async () => {
    const all = await Promise.all(
      ["a", "b", "c"].map((rule) =>
        another().add({ matchers: { rules: [rule] }, forMs: 60_000, comment: "", createdBy: "x" }),
      ),
    );
    const ids = (await silences.list()).map(({ id }) => id);
    expect(ids.toSorted()).toEqual(all.map(({ id }) => id).toSorted());
  });

  it("there are only so many", async () => {
    const one = { matchers: { rules: ["*"] }, forMs: 60_000, comment: "", createdBy: "x" };
    for (let count = 0; count < 200; count += 1) await silences.add(one);
    const refused = await fetch(`${url}/v1/silences?rules=*&for=1h`, { method: "POST" });
    expect({ status: refused.status, body: await refused.json() }).toMatchObject({
      status: 422,
      body: { code: "TOO_MANY_SILENCES" },
    });
    await clock.advance(60_000);
    expect((await fetch(`${url}/v1/silences?rules=*&for=1h`, { method: "POST" })).status).toBe(200);
  });
});

it("silences are for who manages the feed, and tell who it was", async () => {
  const tokens: Authenticator = {
    identify: async (token) =>
      token === undefined
        ? undefined
        : { name: `token ${token}`, manages: token === "manager", rights: ALL_RIGHTS },
  };
  const served = await feed.serve({}, { silences, authenticators: [tokens] });
  const ask = (method: string, path: string, token?: string) =>
    fetch(`${served.url}${path}`, {
      method,
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    });
  for (const [method, path] of [
    ["GET", "/v1/silences"],
    ["POST", "/v1/silences?rules=*&for=1h"],
    ["DELETE", "/v1/silences/x"],
  ] as const) {
    expect((await ask(method, path)).status).toBe(401);
    expect((await ask(method, path, "reader")).status).toBe(403);
  }
  expect(await silences.list()).toEqual([]);
  await ask("POST", "/v1/silences?rules=*&for=1h", "manager");
  const { silences: found } = silencesSchema.parse(
    await (await ask("GET", "/v1/silences", "manager")).json(),
  );
  expect(found).toMatchObject([{ matchers: { rules: ["*"] }, createdBy: "token manager" }]);
});
