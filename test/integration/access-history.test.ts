import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AccessFeed, bearer, NAMESPACES } from "../support/access-feed.ts";
import { draft, objectChange, refOf } from "../support/drafts.ts";

const STATIC = "static-token-of-the-matrix-0002";
const inside = (namespace: string) => [`jobs/${namespace}/web`, `allocations/${namespace}/a`];
const SUBJECTS = [
  ...NAMESPACES.flatMap(inside),
  "nodes/-/n",
  ...NAMESPACES.map((name) => `namespaces/-/${name}`),
];

const TOKENS: readonly { name: string; sees: readonly string[]; token: (access: AccessFeed) => string }[] = [
  {
    name: "management",
    sees: SUBJECTS,
    token: ({ nomad }) => nomad.simulator.managementToken?.secretId ?? "",
  },
  {
    name: "read in default, and nodes",
    sees: [...inside("default"), "nodes/-/n", "namespaces/-/default"],
    token: (access) => access.nomadToken({ namespaces: { default: "read" }, node: "read" }),
  },
  {
    name: "list-jobs by a glob",
    sees: ["jobs/qa-1/web", "namespaces/-/qa-1"],
    token: (access) => access.nomadToken({ namespaces: { "qa*": ["list-jobs"] } }),
  },
  { name: "a static token for jobs", sees: ["jobs/default/web", "jobs/qa-1/web"], token: () => STATIC },
];

let access: AccessFeed;
let url: string;
beforeAll(async () => {
  access = await AccessFeed.open();
  access.writeTokens([{ name: "m", token: STATIC, namespaces: ["default", "qa-*"], resources: ["jobs"] }]);
  ({ url } = await access.serve());
  const refs = [
    ...NAMESPACES.flatMap((namespace) => [
      refOf("jobs", "web", namespace),
      refOf("allocations", "a", namespace),
    ]),
    refOf("nodes", "n", "-"),
    ...NAMESPACES.map((name) => refOf("namespaces", name, "-")),
  ];
  await access.feed.commitObjects(...refs.map((ref, position) => objectChange(ref, String(position + 1))));
});
afterAll(() => access[Symbol.asyncDispose]());

describe.each(TOKENS)("with $name", ({ sees, token }) => {
  const ask = (path: string) => fetch(url + path, { headers: bearer(token(access)) });

  it("history answers for what is hidden as for what does not exist", async () => {
    const answer = async (subject: string) => {
      const response = await ask(`/v1/history?subject=${subject}`);
      const headers = ["x-changefeed-cursor", "link"].map((name) => response.headers.get(name));
      return { status: response.status, headers, events: ((await response.json()) as object[]).length };
    };
    const nothing = await answer("jobs/nowhere/never");
    for (const subject of SUBJECTS) {
      const got = await answer(subject);
      expect([subject, got.events]).toEqual([subject, sees.includes(subject) ? 1 : 0]);
      expect(sees.includes(subject) ? nothing : got).toEqual(nothing);
    }
    const jobs = await ask("/v1/history?job=web");
    expect(await jobs.text()).not.toMatch(
      sees.some((subject) => subject.includes("secret")) ? /^$/ : /secret/,
    );
  });
});

it("history of many hidden events looks as if there were none, whatever named them", async () => {
  const hidden = { namespace: "secret", job: "hidden", node: "hidden", signals: ["node.down"] };
  for (let batch = 0; batch < 52; batch += 1) {
    await access.feed.commit(
      ...Array.from({ length: 100 }, (_, n) => draft({ ...hidden, id: `hidden-${batch}-${n}`, key: "h" })),
    );
  }
  const ask = async (query: string) => {
    const response = await fetch(`${url}/v1/history?${query}`, { headers: bearer(STATIC) });
    const headers = ["x-changefeed-cursor", "link"].map((name) => response.headers.get(name));
    return { headers, body: await response.text() };
  };
  const nothing = await ask("job=never");
  for (const query of ["job=hidden", "node=hidden", "namespace=secret", "signal=node.down"]) {
    expect([query, await ask(query)]).toEqual([query, nothing]);
  }
});
