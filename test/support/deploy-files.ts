import { spawnSync } from "node:child_process";
import { z } from "zod";
import { SERVED } from "../../src/http/feeds/merge-metrics.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { readRepositoryFile } from "./container-files.ts";

export const NOMAD_JOB = "deploy/nomad/changefeed.nomad.hcl";
export const NOMAD_POLICY = "deploy/nomad/policy.hcl";
export const SYSTEMD_UNIT = "deploy/systemd/nomad-changefeed.service";
export const RULES = "deploy/prometheus/rules.yaml";
export const RULES_TEST = "deploy/prometheus/rules.test.yaml";
export const DASHBOARD = "deploy/grafana/dashboard.json";

/** Why a program cannot be run here; undefined where it can. */
export function programMissing(program: string, install: string): string | undefined {
  return spawnSync(program, ["--version"]).error === undefined
    ? undefined
    : `no ${program} here (${install})`;
}

export function run(program: string, args: readonly string[]) {
  return runWith({}, program, args);
}

export function runWith(
  variables: Readonly<Record<string, string>>,
  program: string,
  args: readonly string[],
) {
  const env = { PATH: process.env["PATH"], NO_COLOR: "1", SYSTEMD_COLORS: "0", ...variables };
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8", env });
  return { status, said: stdout + stderr };
}

/** Nomad's program: NOMAD_BIN, or the one of the PATH. */
export function nomadProgram(): string {
  const { NOMAD_BIN: named = "" } = process.env;
  return named === "" ? "nomad" : named;
}

/** The variables that the Nomad job gives the feed; what Nomad fills in stands as it is written. */
export function jobEnvironment(): Record<string, string> {
  const block = /\n {6}env \{\n(.*?)\n {6}\}/s.exec(readRepositoryFile(NOMAD_JOB))?.[1] ?? "";
  return Object.fromEntries(
    [...block.matchAll(/^ {8}(\w+) *= (?:"(.*)"|var\.(\w+))$/gm)].map(
      ([, name = "", text, variable = ""]) => [name, text ?? variable],
    ),
  );
}

const ruleSchema = z.object({
  alert: z.string(),
  expr: z.string(),
  labels: z.strictObject({ severity: z.enum(["page", "ticket"]) }),
  annotations: z.strictObject({ summary: z.string() }),
});
export const rulesSchema = z.object({
  groups: z.array(z.object({ rules: z.array(ruleSchema.loose()) })).length(1),
});

/** What is wrong with how a query, and the text beside it, name our metrics and their labels; [] where nothing is. */
export function namingProblems(query: string, text = ""): string[] {
  const metrics = labelsOfMetrics();
  const named = [...query.matchAll(/\b((?:nomad_changefeed|nodejs|process)_\w+)(?:\{([^}]*)\})?/g)];
  const unknown = named.flatMap(([, name = ""]) => (metrics.has(name) ? [] : [`no metric ${name}`]));
  const wrong = named.flatMap(([, name = "", selector = ""]) =>
    [...selector.matchAll(/(\w+)(?:=~|!~|!=|=)"/g)].flatMap(([, label = ""]) =>
      isLabel(label, [metrics.get(name) ?? []]) ? [] : [`${name} has no label ${label}`],
    ),
  );
  const all = named.map(([, name = ""]) => metrics.get(name) ?? []);
  const grouped = [...query.matchAll(/\b(?:by|without|on|ignoring) \(([^)]*)\)/g)].flatMap(([, list = ""]) =>
    list.split(/, */),
  );
  const shown = [...text.matchAll(/\{\{ *(?:\$labels\.)?(\w+) *\}\}/g)].map(([, label = ""]) => label);
  return [
    ...unknown,
    ...wrong,
    ...[...grouped, ...shown].flatMap((label) =>
      isLabel(label, all) ? [] : [`nothing in ${query} has the label ${label}`],
    ),
  ];
}

/** Prometheus's own labels, and le of histograms, or one that a metric has. */
function isLabel(label: string, labels: readonly (readonly string[])[]): boolean {
  return ["job", "instance", "le"].includes(label) || labels.some((names) => names.includes(label));
}

/** Of every metric by name, those of histograms by the names that they are stored under too. */
function labelsOfMetrics(): Map<string, readonly string[]> {
  const metrics: readonly { name: string; type: unknown; labelNames?: readonly string[] }[] =
    createMetrics().registry.getMetricsAsArray();
  return new Map([
    [SERVED, ["feed"]] as const,
    ...metrics.flatMap(({ name, type, labelNames = [] }) =>
      (type === "histogram" ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name]).map(
        (stored) => [stored, labelNames] as const,
      ),
    ),
  ]);
}
