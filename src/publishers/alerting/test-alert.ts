import { keyOf } from "../../routing/notifications.ts";
import { routeTree } from "../../routing/tree.ts";
import { plainAlert, type AlertJson } from "../../schemas/alert-schema.ts";
import type { Json } from "../../schemas/json.ts";
import type { AlertMessage } from "./alert-destination.ts";

/** An alert that nothing makes, by which people see whether a destination takes any. */
export function testAlert(name: string, shared: Readonly<Record<string, string>>, nowMs: number): AlertJson {
  return {
    ...plainAlert(nowMs),
    id: `NomadChangefeedTest,${name}`,
    rule: "NomadChangefeedTest",
    severity: "INFO",
    labels: { ...shared, destination: name },
    summary: `This is a test of ${name}: nothing is wrong`,
  };
}

/** Its end. */
export function endedTest(alert: AlertJson, nowMs: number): AlertJson {
  return { ...alert, state: "resolved", endsAt: new Date(nowMs).toISOString(), reason: "recovered" };
}

/** What tells people of it, while it fires or once it has ended. */
export function testMessage(name: string, alert: AlertJson, remembered: Json | null): AlertMessage {
  const [node] = routeTree([], [name]);
  if (node === undefined) throw new Error("there is a route to everybody");
  const { labels, state } = alert;
  const times = { waitsSince: Date.parse(alert.startsAt), lastSentAt: null };
  const group = {
    key: keyOf(name, labels),
    destination: name,
    route: node.route,
    labels,
    told: {},
    ...times,
  };
  const [firing, resolved] = state === "firing" ? [[alert], []] : [[], [alert]];
  return { group, firing, resolved, isRepeat: false, remembered };
}
