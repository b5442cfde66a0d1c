import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { whySchema, type Why } from "../../src/schemas/why-schema.ts";
import { AccessFeed, bearer } from "../support/access-feed.ts";
import { draft, refOf } from "../support/drafts.ts";
import { TestFeed } from "../support/http-feed.ts";
import { RealChanges } from "../support/real-changes.ts";

const NODE = refOf("nodes", "ffffffff-0000-0000-0000-000000000001", "-");
const JOB = refOf("jobs", "web");
const EVAL = refOf("evaluations", "eeeeeeee-0000-0000-0000-000000000001");
const OLD = refOf("allocations", "aaaaaaaa-0000-0000-0000-000000000001");
const NEW = refOf("allocations", "bbbbbbbb-0000-0000-0000-000000000002");

const alloc = (index: number, rest: object = {}) => ({
  Name: "web.fe[0]",
  Namespace: "default",
  JobID: "web",
  JobVersion: 0,
  TaskGroup: "fe",
  NodeID: NODE.key,
  NodeName: "worker-1",
  EvalID: EVAL.key,
  DesiredStatus: "run",
  ClientStatus: "running",
  CreateIndex: index,
  ModifyIndex: index,
  CreateTime: 1_787_392_800_000_000_000 + index,
  ...rest,
});

/** An allocation that failed, and the one that took its place. */
async function write(changes: RealChanges): Promise<string> {
  await changes.set([NODE, { Name: "worker-1", Status: "ready", ModifyIndex: 1 }]);
  await changes.set(
    [JOB, { Status: "running", ModifyIndex: 2, CreateIndex: 2 }],
    [EVAL, { JobID: "web", TriggeredBy: "job-register", Status: "complete", ModifyIndex: 3, CreateIndex: 3 }],
    [OLD, alloc(4)],
  );
  const failed = await changes.set([
    OLD,
    alloc(4, { ClientStatus: "failed", NextAllocation: NEW.key, ModifyIndex: 5 }),
  ]);
  await changes.set([NEW, alloc(6, { RescheduleTracker: { Events: [{ PrevAllocID: OLD.key }] } })]);
  return failed;
}

const idsOf = (why: Why) => why.nodes.map(({ subject }) => subject);

describe("GET /v1/why", () => {
  let feed: TestFeed;
  let url: string;
  beforeEach(async () => {
    feed = await TestFeed.open();
    ({ url } = await feed.serve());
  });
  afterEach(() => feed[Symbol.asyncDispose]());

  const ask = (query: string) => fetch(`${url}/v1/why?${query}`);
  const why = async (query: string): Promise<Why> => {
    const response = await ask(query);
    expect(response.status).toBe(200);
    return whySchema.parse(await response.json());
  };
  const of = ({ resource, namespace, key }: typeof JOB) => `subject=${resource}/${namespace}/${key}`;

  it("tells why an allocation is there, and why the last one is not", async () => {
    await write(new RealChanges(feed));
    const answer = await why(of(NEW));
    expect(answer.subject).toBe(`allocations/default/${NEW.key}`);
    expect(answer.asOf).toBe(await feed.headCursor());
    expect(idsOf(answer)).toEqual(
      expect.arrayContaining([NEW, OLD, EVAL].map(({ resource, key }) => `${resource}/default/${key}`)),
    );
    expect(idsOf(answer)[0]).toBe(answer.subject);
    expect(answer.edges).toContainEqual({
      from: `allocations/default/${OLD.key}`,
      to: answer.subject,
      relation: "replaced-by",
      words: "allocation bbbbbbbb took the place of allocation aaaaaaaa",
    });
    expect(answer.story.map(({ words }) => words)).toEqual(
      expect.arrayContaining(["Allocation aaaaaaaa failed", "Job web was registered"]),
    );
    expect(answer).toMatchObject({ complete: true, missing: [] });
  });

  it("tells it as of then", async () => {
    const failed = await write(new RealChanges(feed));
    const answer = await why(`${of(OLD)}&at=${failed}`);
    expect(answer.asOf).toBe(failed);
    expect(idsOf(answer)).not.toContain(`allocations/default/${NEW.key}`);
    expect(answer).toMatchObject({
      complete: false,
      missing: [expect.stringContaining("allocation bbbbbbbb")],
    });
    expect((await ask(`${of(NEW)}&at=${failed}`)).status).toBe(404);
    expect((await ask(`${of(OLD)}&at=2999-01-01T00:00:00Z`)).status).toBe(400);
  });

  it.each([
    ["a job", JOB, [OLD, NEW, EVAL]],
    ["an evaluation", EVAL, [OLD, NEW, JOB]],
    ["a node", NODE, [OLD]],
  ])("finds what names it: of %s", async (_what, subject, expected) => {
    await write(new RealChanges(feed));
    const found = idsOf(await why(of(subject)));
    expect(found).toEqual(
      expect.arrayContaining(expected.map(({ resource, key }) => `${resource}/default/${key}`)),
    );
  });

  it("knows from the state what the log has no event of, and says what it does not know", async () => {
    const stubs = [
      [
        refOf("evaluations", EVAL.key),
        { JobID: "web", TriggeredBy: "job-register", Status: "blocked", ModifyTime: 1.7e18 },
      ],
      [JOB, { Status: "pending", SubmitTime: 1.7e18 }],
    ] as const;
    await feed.write(
      [],
      stubs.map(([ref, stub]) => ({ ref, next: { rev: "1", stub: Buffer.from(JSON.stringify(stub)) } })),
    );
    const answer = await why(of(JOB));
    expect(answer.story.map(({ words }) => words)).toEqual([
      "Job web was submitted",
      "Evaluation eeeeeeee waits for room",
    ]);
    expect(answer.missing).toEqual(["The log does not hold how these began: evaluation eeeeeeee"]);
  });

  it("refuses what it does not understand, and what nobody knows", async () => {
    const unknown = await ask("subject=jobs/default/nothing");
    expect(unknown.status).toBe(404);
    expect(await unknown.json()).toMatchObject({ code: "NO_OBJECT" });
    for (const [query, field] of [
      ["", "subject"],
      ["subject=web", "subject"],
      ["subject=jobs/default/web&depth=3", "depth"],
    ]) {
      const refused = await ask(query ?? "");
      expect(refused.status).toBe(400);
      expect(await refused.json()).toMatchObject({ code: "INVALID_PARAMETER", field });
    }
  });
});

it("shows who may not list nodes none, and of another namespace nothing", async () => {
  await using access = await AccessFeed.open();
  const { url } = await access.serve();
  const changes = new RealChanges(access.feed);
  await write(changes);
  await changes.set([refOf("jobs", "hidden", "secret"), { Status: "running", ModifyIndex: 9 }]);
  const headers = bearer(access.nomadToken({ namespaces: { default: "read" } }));
  const ask = (subject: string) => fetch(`${url}/v1/why?subject=${subject}`, { headers });
  const answer = whySchema.parse(await (await ask(`allocations/default/${NEW.key}`)).json());
  expect(idsOf(answer).filter((subject) => subject.startsWith("nodes/"))).toEqual([]);
  expect(answer.edges.filter(({ relation }) => relation === "runs")).toEqual([]);
  expect(answer.missing).toEqual(["This token may not list nodes: they are left out"]);
  const refusals = await Promise.all(
    ["jobs/secret/hidden", "jobs/secret/never", `nodes/-/${NODE.key}`].map(async (subject) => {
      const response = await ask(subject);
      const body = (await response.json()) as { message: string };
      return { status: response.status, ...body, message: body.message.replace(subject, "") };
    }),
  );
  expect(new Set(refusals.map((refusal) => JSON.stringify(refusal)))).toHaveLength(1);
});

it("neither counts what a token may not see, nor looks at less because of it", async () => {
  await using access = await AccessFeed.open();
  const { url } = await access.serve();
  await write(new RealChanges(access.feed));
  const hidden = Array.from({ length: 400 }, (_, at) =>
    draft({ id: `hidden-${at}`, namespace: "secret", node: NODE.key, severity: "ERROR" }),
  );
  for (let from = 0; from < hidden.length; from += 200) {
    await access.feed.commit(...hidden.slice(from, from + 200));
  }
  const rights = { namespaces: { default: "read" }, node: "read" } as const;
  const response = await fetch(`${url}/v1/why?subject=nodes/-/${NODE.key}`, {
    headers: bearer(access.nomadToken(rights)),
  });
  const answer = whySchema.parse(await response.json());
  expect(idsOf(answer)).toEqual(
    expect.arrayContaining([OLD, NEW].map(({ key }) => `allocations/default/${key}`)),
  );
  expect(answer.missing).toEqual(["What this token may not list is left out"]);
});
