import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Authenticator } from "../../src/http/access/identity.ts";
import { routedAlert, routesJson } from "../../src/publishers/alerting/routed.ts";
import { routeTree } from "../../src/routing/tree.ts";
import { alertRoutesSchema } from "../../src/schemas/alert-routes.ts";
import { plainAlert, type AlertJson } from "../../src/schemas/alert-schema.ts";
import { ALL_RIGHTS } from "../../src/schemas/rights.ts";
import { routeSchema } from "../../src/schemas/routes.ts";
import { TestFeed } from "../support/http-feed.ts";

const NOW = Date.parse("2026-11-29T03:00:00Z");
const TREE = routeTree([
  routeSchema.parse({
    to: "slack",
    minSeverity: "WARN",
    routes: [
      { where: { namespace: "sandbox" }, to: "none" },
      { minSeverity: "ERROR", to: "pager,slack", mute: [{ from: "02:00", to: "04:00" }] },
    ],
  }),
]);
const FIRING: AlertJson = {
  ...plainAlert(NOW),
  id: "JobFailing,namespace=prod,job=web",
  rule: "JobFailing",
  severity: "ERROR",
  labels: { namespace: "prod", job: "web" },
};

let feed: TestFeed;
let url: string;
const parts = {
  alerts: async () => ({ asOf: null, alerts: [FIRING], ended: [], destinations: [] }),
  alertRoutes: async (alert?: AlertJson) => ({
    routes: routesJson(TREE, NOW),
    tested:
      alert === undefined
        ? null
        : routedAlert(alert, { tree: TREE, alertmanagers: [], silences: [], nowMs: NOW }),
  }),
};
beforeEach(async () => {
  feed = await TestFeed.open();
  ({ url } = await feed.serve({}, parts));
});
afterEach(() => feed[Symbol.asyncDispose]());

async function asked(query: string) {
  const response = await fetch(`${url}/v1/alert-routes${query}`);
  expect(response.status).toBe(200);
  return alertRoutesSchema.parse(await response.json());
}

describe("GET /v1/alert-routes", () => {
  it("answers the routes in the order in which they are asked, and tests nothing by itself", async () => {
    const { routes, tested } = await asked("");
    expect(tested).toBeNull();
    expect(routes.map(({ route, depth, to, isMuted }) => ({ route, depth, to, isMuted }))).toEqual([
      { route: "0", depth: 0, to: ["slack"], isMuted: false },
      { route: "0.0", depth: 1, to: [], isMuted: false },
      { route: "0.1", depth: 1, to: ["pager", "slack"], isMuted: true },
    ]);
    expect(routes[1]?.matchers).toEqual({ where: { namespace: ["sandbox"] } });
  });

  it("says where an alert that fires goes, and what keeps it from the other routes", async () => {
    const { tested } = await asked(`?alert=${encodeURIComponent(FIRING.id)}`);
    expect(tested).toMatchObject({ route: "0.1", alert: { id: FIRING.id } });
    expect(tested?.told.map(({ destination, isMuted }) => [destination, isMuted])).toEqual([
      ["pager", true],
      ["slack", true],
    ]);
    expect(tested?.steps).toContainEqual({ route: "0.0", mismatch: "namespace prod is none of sandbox" });
  });

  it("says where an alert would go that does not exist", async () => {
    const { tested } = await asked("?rule=NodeDown&severity=WARN&labels=namespace=sandbox,node=a=b");
    expect(tested).toMatchObject({ route: "0.0", told: [], alert: { labels: { node: "a=b" } } });
  });

  it.each([
    ["?alert=unknown", "alert", /the id of an alert/],
    ["?rule=X&labels=namespace", "labels", /<name>=<value>/],
    ["?rule=X&severity=bad", "severity", /WARN/],
    ["?rule=X&alert=Y", "alert", /alert, or rule/],
    ["?labels=a=b", "rule", /<rule>/],
    ["?route=0", "route", /labels/],
  ])("refuses %s, naming the parameter and what it may be", async (query, field, allowed) => {
    const response = await fetch(`${url}/v1/alert-routes${query}`);
    const problem = (await response.json()) as { field: string; allowed: string[] };
    expect({ status: response.status, field: problem.field }).toEqual({ status: 400, field });
    expect(problem.allowed.join(" ")).toMatch(allowed);
  });

  it("is for whom the whole feed is", async () => {
    const tokens: Authenticator = {
      identify: async (token) =>
        token === undefined ? undefined : { name: token, manages: token === "manager", rights: ALL_RIGHTS },
    };
    await using other = await TestFeed.open();
    const served = await other.serve({}, { ...parts, authenticators: [tokens] });
    const statusFor = async (token: string) =>
      (await fetch(`${served.url}/v1/alert-routes`, { headers: { authorization: `Bearer ${token}` } }))
        .status;
    expect([await statusFor("reader"), await statusFor("manager")]).toEqual([403, 200]);
  });
});
