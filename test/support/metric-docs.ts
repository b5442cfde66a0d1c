import { createMetrics } from "../../src/telemetry/metrics.ts";
import { METRIC_EXAMPLES } from "./metric-examples.ts";

const PREFIX = "nomad_changefeed_";

/** docs/metrics.md, as the metrics describe themselves. */
export function metricDocs(): string {
  // The library's type leaves the names of labels out.
  const metrics: readonly { name: string; type: unknown; help: string; labelNames?: readonly string[] }[] =
    createMetrics().registry.getMetricsAsArray();
  const lines = metrics
    .filter(({ name }) => name.startsWith(PREFIX))
    .map(({ name, type, help, labelNames = [] }) => {
      const labels =
        labelNames.length === 0 ? "" : ` by ${labelNames.map((label) => `\`${label}\``).join(", ")}`;
      return `- \`${name.slice(PREFIX.length)}\` (${String(type)}${labels}): ${help}.`;
    });
  return `# Metrics

<!-- Made from src/telemetry/metrics.ts; test/unit/metric-docs.test.ts keeps it in step. -->

What \`/metrics\` says, for each process. Every name begins with \`${PREFIX}\`. Those of the process and of Node,
\`process_\` and \`nodejs_\`, are the usual ones. [What is worth an alert](operations.md#health-and-metrics).

${lines.join("\n")}

## What Nomad's counters forget

\`job_…\` and \`node_…\` are counted from the log. They begin at 0 as soon as the feed knows the job or the node, so that the
first restart is one for \`rate()\` too. They go on through restarts of the bridge, kills and failovers, from the same events
and with none counted twice; what happened while no bridge ran is counted once one has seen it. Where retention took events
before they were counted, those are missing. A job that is purged takes its series with it.

What a child of a periodic or parameterized job does counts for its parent. The label is \`job_name\`, as Prometheus calls what
it scrapes \`job\`. Jobs and nodes beyond \`--metrics-max-jobs\` (1000) are counted together: as job \`other\` without a namespace,
as node \`other\`. What is too young to be known, or of a resource that is not watched, is there too. A service has 17 series, a batch job two,
and each group four more:
1000 services with two groups each, and 1000 nodes, make a scrape of 2.7 MB, which costs about 0.1 s of work.

Of several workers only the one that makes alerts shows them, the others show none: add nothing up by hand, aggregate
\`without (instance)\` or \`by\` the labels you want, as below, and another worker may take over. Where the configuration says
\`alerts: off\`, nobody counts.

These metrics name jobs and nodes. With \`--auth\`, \`/metrics\` is for tokens that may see everything. \`--open-routes metrics\`
shows them to everybody who can reach the route; \`--metrics-max-jobs 0\` leaves them out.

${METRIC_EXAMPLES.map(({ what, query }) => `${what}:\n\n\`\`\`promql\n${query}\n\`\`\``).join("\n\n")}
`;
}
