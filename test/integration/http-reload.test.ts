import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ReloadRefused } from "../../src/bridge/reload.ts";
import type { Authenticator } from "../../src/http/access/identity.ts";
import type { ReloadReport } from "../../src/schemas/reload-schema.ts";
import { ALL_RIGHTS } from "../../src/schemas/rights.ts";
import { runCli } from "../support/cli.ts";
import { TestFeed } from "../support/http-feed.ts";

const REPORT: ReloadReport = {
  file: "feed.yaml",
  destinations: { added: ["a", "b"], removed: [], changed: ["c"] },
  redaction: false,
  alerts: false,
  routes: false,
  needRestart: ["--wait"],
};

let feed: TestFeed;
let asked: string[];
const reload = (by: string) => {
  asked.push(by);
  return REPORT;
};

beforeEach(async () => {
  asked = [];
  feed = await TestFeed.open();
});
afterEach(() => feed[Symbol.asyncDispose]());

async function post(url: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${url}/v1/reload`, { method: "POST", headers, body: "{}" });
  return { status: response.status, body: await response.json() };
}

describe("a reload", () => {
  it("says what it did, on the wire and by the command", async () => {
    const { url } = await feed.serve({}, { reload });
    expect(await post(url)).toEqual({ status: 200, body: REPORT });
    expect(await runCli(["reload", "--url", url])).toMatchObject({
      code: 0,
      stdout:
        "applied feed.yaml: destinations added: a, b; destinations changed: c; a restart applies --wait\n",
    });
    const { stdout } = await runCli(["reload", "--url", url, "--json"]);
    expect(JSON.parse(stdout)).toEqual(REPORT);
    expect(await (await fetch(`${url}/v1/reload?file=x`, { method: "POST" })).json()).toMatchObject({
      code: "INVALID_PARAMETER",
    });
    expect(asked).toHaveLength(3);
  });

  it("that is refused says each problem", async () => {
    const problems = ["feed.yaml:3: destinations.a.url: is missing", "feed.yaml:9: there is no option"];
    const refuse = () => {
      throw new ReloadRefused(problems, "Nothing is applied");
    };
    const { url } = await feed.serve({}, { reload: refuse });
    expect(await post(url)).toEqual({
      status: 422,
      body: { code: "RELOAD_REFUSED", message: problems.join("\n"), hint: "Nothing is applied" },
    });
    expect(await runCli(["reload", "--url", url])).toMatchObject({
      code: 1,
      stderr: `error: ${problems[0]}\nerror: ${problems[1]}\nhint: Nothing is applied\n`,
    });
  });

  it("is for who manages the feed, and says who it was", async () => {
    const tokens: Authenticator = {
      identify: async (token) =>
        token === undefined
          ? undefined
          : { name: `token ${token}`, manages: token === "manager", rights: ALL_RIGHTS },
    };
    const { url } = await feed.serve({}, { reload, authenticators: [tokens] });
    expect(await post(url)).toMatchObject({ status: 401 });
    expect(await post(url, { authorization: "Bearer reader" })).toMatchObject({ status: 403 });
    expect(asked).toEqual([]);
    expect(await post(url, { authorization: "Bearer manager" })).toMatchObject({ status: 200 });
    expect(asked).toEqual(["token manager"]);
  });
});
