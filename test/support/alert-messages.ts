import { RULES } from "../../src/alerts/rules/table.ts";
import type { AlertMessage } from "../../src/publishers/alerting/alert-destination.ts";
import { instanceOf } from "../../src/routing/notifications.ts";
import { routeTree } from "../../src/routing/tree.ts";
import type { AlertJson } from "../../src/schemas/alert-schema.ts";

const [ROUTE] = routeTree([{ to: ["oncall"], continue: false }]);
const STARTS_AT = "2026-11-29T03:12:40.000Z";

/** An alert about a failing job that fires. */
export function alertOf(given: Partial<AlertJson> = {}): AlertJson {
  const {
    labels = { cluster: "prod", region: "global", namespace: "default", job: "web", group: "frontend" },
  } = given;
  const rule = given.rule ?? "JobFailing";
  return {
    id: [rule, ...Object.values(labels)].join(","),
    rule,
    severity: "ERROR",
    state: "firing",
    labels,
    summary: "3 allocations of web/frontend failed and are not replaced yet: 3 × exit code 1",
    details: { why: "3 × exit code 1", lastEvents: "nginx: Exit Code: 1" },
    count: 3,
    startsAt: STARTS_AT,
    firedAt: STARTS_AT,
    endsAt: null,
    reason: null,
    beganMeanwhile: false,
    isKept: false,
    lastEventAt: STARTS_AT,
    evidence: [],
    page: "jobs/web@default",
    ...given,
  };
}

/** The same, ended. */
export function endedAlert(alert: AlertJson, endsAt = "2026-11-29T03:40:10.000Z"): AlertJson {
  return { ...alert, state: "resolved", endsAt, reason: "recovered" };
}

/** What a destination is told of the group of a job, or of the labels given. */
export function messageOf(
  firing: readonly AlertJson[],
  {
    resolved = [],
    remembered = null,
    isRepeat = false,
    labels,
  }: Partial<AlertMessage & { labels: object }> = {},
): AlertMessage {
  if (ROUTE === undefined) throw new Error("no route");
  const { group: _group, ...common } = [...firing, ...resolved][0]?.labels ?? {};
  const given = { ...common, ...labels };
  return {
    group: {
      key: JSON.stringify(["oncall", given]),
      destination: "oncall",
      route: ROUTE.route,
      labels: given,
      waitsSince: Date.parse(STARTS_AT),
      lastSentAt: null,
      told: Object.fromEntries(resolved.map((alert) => [instanceOf(alert), { ...alert, state: "firing" }])),
    },
    firing,
    resolved,
    isRepeat,
    remembered,
  };
}

/** What to do, by the table. */
export function todo(rule: string): readonly string[] {
  return RULES.find(({ name }) => name === rule)?.todo ?? [];
}
