import { queryOf, type Selection, type SelectionQuery } from "./selection.ts";

/** A command that follows what is selected. */
export function curlOf(serverUrl: string, selection: Selection): string {
  const values = pairsOf(queryOf(selection)).map(
    ([name, value]) => `  --data-urlencode ${shellQuoted(`${name}=${value}`)}`,
  );
  const address = shellQuoted(new URL("v1/events", serverUrl).href);
  return [`curl -NG ${address}`, "  -H 'Accept: application/x-ndjson'", ...values].join(" \\\n");
}

/** A program for nomad-changefeed-client that follows it. */
export function clientCodeOf(serverUrl: string, selection: Selection): string {
  const options = Object.entries(queryOf(selection)).map(
    ([name, value]) => `  ${name}: ${JSON.stringify(value)},`,
  );
  return [
    'import { subscribe } from "nomad-changefeed-client";',
    "",
    "for await (const event of subscribe({",
    `  url: ${JSON.stringify(serverUrl)},`,
    ...options,
    "})) {",
    "  console.log(event.time, event.type, event.data);",
    "}",
  ].join("\n");
}

/** A destination that is sent it, for the configuration file. */
export function destinationOf(selection: Selection): string {
  return [
    "destinations:",
    "  my-webhook:",
    "    type: webhook",
    "    url: env:MY_WEBHOOK_URL",
    ...Object.entries(queryOf(selection)).map(([name, value]) => `    ${name}: ${JSON.stringify(value)}`),
  ].join("\n");
}

/** Rules that look after what signals tell of, foremost first. */
const RULES: readonly (readonly [signal: RegExp, rule: string])[] = [
  [/^task\.oom_killed$/, "OomKilled"],
  [/^task\.restart/, "JobFlapping"],
  [/^(allocation\.failed|task\.)/, "JobFailing"],
  [/^deployment\.failed$/, "DeploymentFailed"],
  [/^deployment\.needs/, "DeploymentNeedsPromotion"],
  [/^deployment\./, "DeploymentStuck"],
  [/^(evaluation\.|job\.placement_queued)/, "PlacementBlocked"],
  [/^node\.down$/, "NodeDown"],
  [/^node\.disconnected$/, "NodeDisconnected"],
  [/^node\.drain/, "NodeDrainSlow"],
  [/^node\.driver/, "DriverUnhealthy"],
  [/^allocation\.(lost|unknown)$/, "NodeDown"],
];
const RULE_OF_TYPE: Readonly<Record<string, string>> = {
  nodes: "NodeDown",
  deployments: "DeploymentFailed",
  evaluations: "PlacementBlocked",
  feed: "FeedStale",
};

/**
 * A rule of alerts for it: one of the table, narrowed to the namespaces, jobs and nodes that are selected. Events become
 * alerts by a rule, not by a filter.
 */
export function alertRuleOf({ signals, types, namespaces, jobs, nodes, minSeverity }: Selection): string {
  const bySignal = signals.flatMap((signal) => RULES.find(([pattern]) => pattern.test(signal))?.[1] ?? []);
  const like = bySignal[0] ?? types.map((type) => RULE_OF_TYPE[type]).find(Boolean) ?? "JobFailing";
  const labels =
    like.startsWith("Node") || like.startsWith("Driver")
      ? { node: nodes }
      : { namespace: namespaces, job: jobs };
  const where = Object.entries(labels).filter(([, values]) => values.length > 0);
  return [
    "alerts:",
    "  rules:",
    `    My${like}:`,
    `      like: ${like}`,
    ...(where.length > 0
      ? [
          `      where: { ${where.map(([label, values]) => `${label}: ${JSON.stringify(values)}`).join(", ")} }`,
        ]
      : []),
    ...(minSeverity === "" ? [] : [`      severity: ${minSeverity}`]),
  ].join("\n");
}

function pairsOf(query: SelectionQuery): [name: string, value: string][] {
  return Object.entries(query).flatMap(([name, value]): [string, string][] => {
    if (name === "filter") return [value].flat().map((one) => [name, one]);
    return [[name, [value].flat().join()]];
  });
}

function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
