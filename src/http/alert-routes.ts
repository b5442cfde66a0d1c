import type { FastifyInstance } from "fastify";
import type { AlertRoutes } from "../schemas/alert-routes.ts";
import { plainAlert, type AlertJson, type AlertList } from "../schemas/alert-schema.ts";
import { SEVERITY_NAMES } from "../schemas/severity.ts";
import { assertKnown, InvalidParameter, oneOf, single } from "../schemas/subscription-schema.ts";
import type { Principals } from "./access/principals.ts";
import { assertManages } from "./managing.ts";
import { requestUrl } from "./request-url.ts";

export interface AlertRoutesDeps {
  readonly alerts: () => Promise<AlertList>;
  /** Who would be told of an alert; without one: the routes alone. */
  readonly alertRoutes: (alert?: AlertJson) => Promise<AlertRoutes>;
  readonly principals: Pick<Principals, "actorOf" | "authRequired">;
  readonly nowMs: () => number;
}

const PARAMETERS = ["alert", "rule", "severity", "labels"];

/** The routes of alerts, and where an alert would go: for whom the whole feed is. Nobody is told. */
export function addAlertRoutesRoute(app: FastifyInstance, deps: AlertRoutesDeps): void {
  app.get("/v1/alert-routes", async ({ raw }, reply) => {
    await assertManages(deps.principals, raw);
    const { searchParams } = requestUrl(raw);
    assertKnown(searchParams, PARAMETERS);
    reply.header("cache-control", "no-store");
    return deps.alertRoutes(await alertIn(searchParams, deps));
  });
}

async function alertIn(
  query: URLSearchParams,
  { alerts, nowMs }: AlertRoutesDeps,
): Promise<AlertJson | undefined> {
  const id = single(query, "alert");
  const rule = single(query, "rule");
  if (id !== undefined && rule !== undefined)
    throw new InvalidParameter("alert and rule name two alerts", "alert", [
      "alert, or rule with severity and labels",
    ]);
  if (rule !== undefined) {
    const severity = oneOf(query, "severity", SEVERITY_NAMES) ?? "ERROR";
    return { ...plainAlert(nowMs()), id: rule, rule, severity, labels: labelsIn(query) };
  }
  if (id === undefined) {
    for (const name of ["severity", "labels"])
      if (query.has(name))
        throw new InvalidParameter(`${name} is of an alert that has a rule`, "rule", ["<rule>"]);
    return undefined;
  }
  const { alerts: open, ended } = await alerts();
  const found = [...open, ...ended].find((alert) => alert.id === id);
  if (found === undefined) {
    throw new InvalidParameter(
      "No alert with this id fires, is pending, or ended in the last hour",
      "alert",
      ["the id of an alert in /v1/alerts"],
    );
  }
  return found;
}

/** `labels=namespace=prod,job=web`, or each by itself. */
function labelsIn(query: URLSearchParams): Record<string, string> {
  const given = query
    .getAll("labels")
    .flatMap((text) => text.split(","))
    .filter((text) => text.trim() !== "");
  return Object.fromEntries(
    given.map((text) => {
      const [name = "", ...value] = text.split("=");
      if (!/^\w+$/.test(name.trim()) || value.length === 0)
        throw new InvalidParameter(`labels: ${JSON.stringify(text.slice(0, 100))} is no label`, "labels", [
          "<name>=<value>",
        ]);
      return [name.trim(), value.join("=").trim()];
    }),
  );
}
