import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  AccessFeed,
  bearer,
  END,
  everyKind,
  everyObject,
  kindOf,
  FORMATS,
  NAMESPACES,
  openReader,
} from "../support/access-feed.ts";
import { nextPage } from "../support/next-page.ts";
import { openStream, STREAMS } from "../support/protocol-reader.ts";

const STATIC = "static-token-of-the-matrix-0001";
const ALL_IDS = everyKind("").map(({ id }) => id);
const all = (resource: string) => NAMESPACES.map((namespace) => `${resource}/${namespace}`);
const inside = (namespace: string) =>
  ["jobs", "allocations", "deployments", "evaluations"].map((resource) => `${resource}/${namespace}`);

/** Who may see what, written out; the end is for everybody. */
const TOKENS: readonly {
  name: string;
  sees: readonly string[];
  token: (access: AccessFeed) => string | undefined;
}[] = [
  {
    name: "management",
    sees: ALL_IDS,
    token: ({ nomad }) => nomad.simulator.managementToken?.secretId,
  },
  {
    name: "read everywhere, without nodes",
    sees: ALL_IDS.filter((id) => !id.includes("nodes")),
    token: (access) => access.nomadToken({ namespaces: { "*": "read" } }),
  },
  {
    name: "read in default, and nodes",
    sees: [...inside("default"), "namespaces/default", "nodes", "baseline jobs/default", "baseline nodes"],
    token: (access) => access.nomadToken({ namespaces: { default: "read" }, node: "read" }),
  },
  {
    name: "list-jobs by a glob",
    sees: ["jobs/qa-1", "namespaces/qa-1", "baseline jobs/qa-1"],
    token: (access) => access.nomadToken({ namespaces: { "qa*": ["list-jobs"] } }),
  },
  {
    name: "read-job alone",
    sees: ["allocations/secret", "deployments/secret", "evaluations/secret", "namespaces/secret"],
    token: (access) => access.nomadToken({ namespaces: { secret: ["read-job"] } }),
  },
  {
    name: "everything but one denied namespace",
    sees: [
      ...inside("default"),
      ...inside("qa-1"),
      "namespaces/default",
      "namespaces/qa-1",
      "baseline jobs/default",
      "baseline jobs/qa-1",
    ],
    token: (access) => access.nomadToken({ namespaces: { "*": "read", secret: "deny" } }),
  },
  {
    name: "a static token for jobs of two namespaces",
    sees: ["jobs/default", "jobs/qa-1", "baseline jobs/default", "baseline jobs/qa-1"],
    token: () => STATIC,
  },
  {
    name: "nobody, by the anonymous policy",
    sees: ["jobs/default", "namespaces/default", "baseline jobs/default"],
    token: () => undefined,
  },
];

let access: AccessFeed;
let url: string;
beforeAll(async () => {
  access = await AccessFeed.open();
  access.nomad.simulator.acl.setPolicy("anonymous", { namespaces: { default: ["list-jobs"] } });
  access.writeTokens([
    { name: "matrix", token: STATIC, namespaces: ["default", "qa-*"], resources: ["jobs"] },
  ]);
  ({ url } = await access.serve());
  await access.feed.write(everyKind("old "), everyObject());
});
afterAll(() => access[Symbol.asyncDispose]());

describe.each(TOKENS)("with $name", ({ name: who, sees, token }) => {
  const expected = (mark: string) =>
    ALL_IDS.filter((id) => id === END || sees.includes(id)).map((id) => `${mark}${id}`);

  it.each(FORMATS)("%s replays what may be seen, and nothing else", async (format) => {
    await using reader = await openReader(format, url, token(access), "earliest");
    const seen = (await reader.idsUntil(`old ${END}`)).filter((id) => id.startsWith("old "));
    expect(seen).toEqual(expected("old "));
  });

  it.each(FORMATS)("%s gives live what may be seen, and nothing else", async (format) => {
    await using reader = await openReader(format, url, token(access), await access.feed.headCursor());
    const mark = `${format}-${sees.length} `;
    await access.feed.commit(...everyKind(mark));
    expect(await reader.idsUntil(`${mark}${END}`)).toEqual(expected(mark));
  });

  const objects = sees.filter((id) => id !== END && !id.startsWith("baseline "));
  const subjectOf = (text: string) => (JSON.parse(text) as { subject: string }).subject;
  const asKinds = (texts: readonly string[]) => new Set(texts.map((text) => kindOf(subjectOf(text))));

  it("the state holds what may be seen, and nothing else", async () => {
    const headers = { ...bearer(token(access)), accept: "application/x-ndjson" };
    const response = await fetch(`${url}/v1/state`, { headers });
    const lines = (await response.text()).split("\n").filter((line) => line !== "");
    expect(asKinds(lines)).toEqual(new Set(objects));
    // Nor does asking for what is hidden show that it is there.
    const hidden = await fetch(`${url}/v1/state?subjects=jobs/secret/k`, { headers });
    expect((await hidden.text()) === "").toBe(!sees.includes("jobs/secret"));
  });

  it.each(STREAMS)(
    "a snapshot over %s holds and counts what may be seen, and nothing else",
    async (format) => {
      const target = `${url}/v1/events?snapshot=true`;
      await using stream = await openStream(format, target, bearer(token(access)));
      const frames = await stream.until(({ data }) => data["phase"] === "end");
      expect(asKinds(frames.slice(2, -1).map(({ text }) => text))).toEqual(new Set(objects));
      expect(frames.at(-1)?.data["count"]).toBe(objects.length);
    },
  );

  it.each(["limit=1000", "limit=1"])(
    "history with %s tells what may be seen, and nothing else",
    async (limit) => {
      const ids: string[] = [];
      let path: string | undefined = `/v1/history?order=oldest-first&${limit}`;
      while (path !== undefined && !ids.includes(`old ${END}`)) {
        const page: Response = await fetch(url + path, { headers: bearer(token(access)) });
        ids.push(...((await page.json()) as { id: string }[]).map(({ id }) => id));
        path = nextPage(page);
      }
      expect(ids.filter((id) => id.startsWith("old "))).toEqual(expected("old "));
    },
  );

  it("pages that go back in time hold what may be seen, and nothing else", async () => {
    const ids: string[] = [];
    for (let path: string | undefined = "/v1/events?order=newest-first"; path !== undefined;) {
      const page: Response = await fetch(url + path, { headers: bearer(token(access)) });
      ids.push(...((await page.json()) as { id: string }[]).map(({ id }) => id));
      path = nextPage(page);
    }
    expect(ids.filter((id) => id.startsWith("old "))).toEqual(expected("old ").toReversed());
  });

  it("counts what may be seen, and nothing else", async () => {
    const query = "types=jobs,allocations,deployments,evaluations,nodes,namespaces,feed&by=namespace";
    const headers = bearer(token(access));
    const { total } = (await (await fetch(`${url}/v1/counts?${query}`, { headers })).json()) as {
      total: number;
    };
    let seen = 0;
    for (let path: string | undefined = "/v1/events?limit=1000"; path !== undefined;) {
      const page: Response = await fetch(url + path, { headers });
      seen += ((await page.json()) as unknown[]).length;
      const isAtEnd = page.headers.get("x-changefeed-cursor") === page.headers.get("x-changefeed-head");
      path = isAtEnd ? undefined : nextPage(page);
    }
    expect(total).toBe(seen);
  });

  it("gives single events to who may see them, and tells the others nothing", async () => {
    const { epoch } = await access.feed.log.head();
    const got: string[] = [];
    const refusals = new Set<string>();
    // Before the first there is none.
    for (const [position, id] of ["none", ...ALL_IDS].entries()) {
      const cursor = `${epoch}-${position}`;
      const response = await fetch(`${url}/v1/events/${cursor}`, { headers: bearer(token(access)) });
      const body = await response.text();
      if (response.status === 200) got.push(id);
      else refusals.add(`${response.status} ${body.replace(cursor, "<cursor>")}`);
    }
    expect(got.map((id) => `old ${id}`)).toEqual(expected("old "));
    expect([...refusals]).toEqual([expect.stringMatching(/^404 .*There is no event <cursor>/)]);
  });

  it.each(STREAMS)("a consumer over %s gets what may be seen, and nothing else", async (format) => {
    const name = `${who}-${format}`.replaceAll(/\W/g, "-").slice(0, 64);
    const { epoch } = await access.feed.log.head();
    await access.feed.log.consumers.put(name, { epoch, sequence: 0 });
    const target = `${url}/v1/events?consumer=${name}`;
    await using stream = await openStream(format, target, bearer(token(access)));
    const events = await stream.until(({ id }) => id === `old ${END}`);
    expect(events.map(({ id }) => id).filter((id) => id.startsWith("old "))).toEqual(expected("old "));
  });

  it("gives the data beside an event to who may see the event", async () => {
    const { epoch } = await access.feed.log.head();
    const got: string[] = [];
    const refusals = new Set<string>();
    for (const [position, id] of ALL_IDS.entries()) {
      const cursor = `${epoch}-${position + 1}`;
      const response = await fetch(`${url}/v1/data/${cursor}`, { headers: bearer(token(access)) });
      const body = await response.text();
      if (response.status === 200) got.push(id);
      else refusals.add(`${response.status} ${body.replace(cursor, "<cursor>")}`);
    }
    // What is hidden and what has no data beside it are told apart by nobody.
    expect(refusals.size).toBe(1);
    expect([...refusals][0]).toContain("Event <cursor> holds its data itself");
    const withData = everyKind("").filter(({ overflow }) => overflow !== null);
    expect(got).toEqual(withData.map(({ id }) => id).filter((id) => sees.includes(id)));
  });
});

it("has something to hide: namespaces and resources differ between the tokens", () => {
  expect(new Set(TOKENS.map(({ sees }) => sees.join())).size).toBe(TOKENS.length);
  expect(all("jobs").every((id) => ALL_IDS.includes(id))).toBe(true);
});
