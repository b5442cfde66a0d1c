import { createMetrics } from "../../src/telemetry/metrics.ts";

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
`;
}
