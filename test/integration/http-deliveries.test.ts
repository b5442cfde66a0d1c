import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Authenticator } from "../../src/http/access/identity.ts";
import { NOTHING_TO_REPORT } from "../../src/coordination/coordination.ts";
import { assignmentsSchema, type AssignmentStatus } from "../../src/schemas/assignment-schema.ts";
import { ALL_RIGHTS } from "../../src/schemas/rights.ts";
import { TestFeed } from "../support/http-feed.ts";
import { DELIVERY, LETTER, ScriptedDeliveries } from "../support/scripted-deliveries.ts";

let feed: TestFeed;
let deliveries: ScriptedDeliveries;
let url: string;

beforeEach(async () => {
  feed = await TestFeed.open();
  deliveries = new ScriptedDeliveries([DELIVERY], [LETTER, { ...LETTER, cursor: "abc123-9" }]);
  ({ url } = await feed.serve({}, { deliveries, assignments: deliveries.assignments }));
});
afterEach(() => feed[Symbol.asyncDispose]());

async function ask(method: "GET" | "POST", path: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${url}/v1/deliveries${path}`, { method, headers });
  return { status: response.status, link: response.headers.get("link"), body: await response.json() };
}

it("tells how deliveries go, one with its attempts", async () => {
  const { attempts: _, outcomes: __, latency: ___, messages: ____, ...status } = DELIVERY;
  expect(await ask("GET", "")).toMatchObject({ status: 200, body: { deliveries: [status] } });
  expect(await ask("GET", "/hook")).toMatchObject({ status: 200, body: DELIVERY });
});

it("says where nobody delivers, which no position tells", async () => {
  const others = await deliveries.assignments();
  const lost = others.map((one) => ({ ...one, state: "waiting" as const, reason: "no worker holds it" }));
  const unplanned = "the worker that plans does not have it in its configuration";
  for (const [found, reason] of [
    [lost, "no worker holds it"],
    [[], unplanned],
  ] as const) {
    ({ url } = await feed.serve({}, { deliveries, assignments: async () => found }));
    const waiting = { name: "hook", state: "waiting", worker: null, reason };
    expect(await ask("GET", "")).toMatchObject({ body: { deliveries: [waiting] } });
    expect(await ask("GET", "/hook")).toMatchObject({ body: { ...waiting, cursor: DELIVERY.cursor } });
  }
});

it("refuses to be steered through a proxy where nobody is asked who they are", async () => {
  for (const header of ["x-forwarded-for", "forwarded"]) {
    expect(await ask("POST", "/hook/pause", { [header]: "for=127.0.0.1" })).toMatchObject({ status: 403 });
  }
  expect(deliveries.asked).toEqual([]);
});

it("has people pause, resume, test, and send again", async () => {
  for (const path of [
    "pause?reason=they%20move",
    "pause",
    "resume",
    "replay?cursor=abc123-4",
    "replay?since=2026-08-22T10:00:00Z",
  ]) {
    expect([path, await ask("POST", `/hook/${path}`)]).toMatchObject([path, { status: 200, body: DELIVERY }]);
  }
  expect(await ask("POST", "/hook/test")).toMatchObject({
    status: 200,
    body: { status: 200, answer: "thanks" },
  });
  expect(deliveries.asked).toEqual([
    ["pause", "hook", "they move"],
    ["pause", "hook", null],
    ["resume", "hook"],
    ["replay", "hook", { cursor: { epoch: "abc123", sequence: 4 } }],
    ["replay", "hook", { sinceMs: Date.UTC(2026, 7, 22, 10) }],
    ["test", "hook"],
  ]);
});

it("lists dead letters page by page, sends them once more, and forgets them", async () => {
  const first = await ask("GET", "/hook/dead-letters?limit=1");
  expect(first).toMatchObject({ status: 200, body: { deadLetters: [LETTER] } });
  expect(first.link).toBe('<?limit=1&after=abc123-7>; rel="next"');
  const rest = await ask("GET", "/hook/dead-letters?after=abc123-7");
  expect(rest).toMatchObject({ link: null, body: { deadLetters: [{ cursor: "abc123-9" }] } });
  const both = "cursor=abc123-7&cursor=abc123-9";
  expect((await ask("POST", `/hook/dead-letters/retry?${both}`)).body).toEqual({ retried: 2 });
  expect((await ask("POST", "/hook/dead-letters/drop?all=true")).body).toEqual({ dropped: 2 });
  const cursors = [7, 9].map((sequence) => ({ epoch: "abc123", sequence }));
  expect(deliveries.asked).toEqual([
    ["retry", "hook", cursors],
    ["drop", "hook", "all"],
  ]);
});

it("refuses what cannot be meant, and does nothing then", async () => {
  const missing = { status: 404, body: { code: "NO_DELIVERY" } };
  expect(await ask("GET", "/mail")).toMatchObject(missing);
  expect(await ask("POST", "/mail/pause")).toMatchObject(missing);
  for (const [path, field] of [
    ["replay", "since"],
    ["replay?cursor=abc123-4&since=1h", "cursor"],
    ["replay?cursor=earliest", "cursor"],
    ["replay?since=yesterday", "since"],
    ["pause?why=x", "why"],
    ["dead-letters/drop", "cursor"],
    ["dead-letters/drop?all=true&cursor=abc123-7", "cursor"],
    ["dead-letters/drop?all=yes", "all"],
  ]) {
    const refused = { status: 400, body: { code: "INVALID_PARAMETER", field } };
    expect([path, await ask("POST", `/hook/${path}`)]).toMatchObject([path, refused]);
  }
  expect(await ask("POST", "/hook")).toMatchObject({ status: 405 });
  expect(deliveries.asked).toEqual([]);
});

describe("where tokens are asked for", () => {
  const tokens: Authenticator = {
    identify: async (token) =>
      token === undefined
        ? undefined
        : { name: `token ${token}`, manages: token === "manager", rights: ALL_RIGHTS },
  };

  it("deliveries are for who manages the feed", async () => {
    ({ url } = await feed.serve({}, { deliveries, authenticators: [tokens] }));
    const as = (token: string) => ({ authorization: `Bearer ${token}` });
    expect(await ask("GET", "")).toMatchObject({ status: 401 });
    for (const [method, path] of [
      ["GET", ""],
      ["GET", "/hook"],
      ["GET", "/hook/dead-letters"],
      ["POST", "/hook/pause"],
      ["POST", "/hook/dead-letters/drop?all=true"],
    ] as const) {
      expect(await ask(method, path, as("reader"))).toMatchObject({
        status: 403,
        body: { code: "FORBIDDEN" },
      });
    }
    expect(deliveries.asked).toEqual([]);
    expect(await ask("POST", "/hook/pause", as("manager"))).toMatchObject({ status: 200 });
  });

  it("who may not see everything does not learn where events go", async () => {
    const mine: Authenticator = {
      identify: async () => ({
        name: "token mine",
        rights: {
          ...ALL_RIGHTS,
          mayListEverywhere: () => false,
          mayList: (_, namespace) => namespace === "mine",
        },
      }),
    };
    const assignments = async () => ["plan", "jobs/mine", "deliver/hook"].map(assignmentOf);
    const seenBy = async (authenticator: Authenticator) => {
      const server = await feed.serve({}, { assignments, authenticators: [authenticator] });
      const response = await fetch(`${server.url}/v1/assignments`, {
        headers: { authorization: "Bearer reader" },
      });
      return assignmentsSchema.parse(await response.json()).assignments.map((one) => one.assignment);
    };
    expect(await seenBy(mine)).toEqual(["plan", "jobs/mine"]);
    expect(await seenBy(tokens)).toEqual(["plan", "jobs/mine", "deliver/hook"]);
  });
});

function assignmentOf(assignment: string): AssignmentStatus {
  const nobody = { state: "waiting" as const, worker: null, since: null };
  return { assignment, ...nobody, ...NOTHING_TO_REPORT };
}
