import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { OPTION_NAMES, optionEnv } from "../../src/config/options.ts";
import { resolveConfig } from "../../src/config/resolve.ts";
import { dockerfile, readRepositoryFile } from "../support/container-files.ts";
import {
  DASHBOARD,
  jobEnvironment,
  namingProblems,
  NOMAD_JOB,
  NOMAD_POLICY,
  RULES,
  RULES_TEST,
  rulesSchema,
} from "../support/deploy-files.ts";

const rules = rulesSchema.parse(parse(readRepositoryFile(RULES))).groups.flatMap((group) => group.rules);

describe("the rules for Prometheus", () => {
  it("name metrics and labels that there are", () => {
    expect(rules.length).toBeGreaterThan(20);
    const problems = rules.flatMap(({ alert, expr, annotations }) =>
      namingProblems(expr, annotations.summary).map((problem) => `${alert}: ${problem}`),
    );
    expect(problems).toEqual([]);
  });

  it("have a test each, by which they fire", () => {
    const tested = readRepositoryFile(RULES_TEST);
    const untested = rules.filter(({ alert }) => !tested.includes(`alertname="${alert}"`));
    expect(untested.map(({ alert }) => alert)).toEqual([]);
  });
});

const panelSchema = z.object({
  title: z.string(),
  gridPos: z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }),
  targets: z.array(z.object({ expr: z.string(), legendFormat: z.string() })).default([]),
});
type Panel = z.infer<typeof panelSchema>;

describe("the dashboard for Grafana", () => {
  const { panels } = z
    .object({ panels: z.array(panelSchema) })
    .parse(JSON.parse(readRepositoryFile(DASHBOARD)));

  it("names metrics and labels that there are", () => {
    const shown = panels.flatMap(({ targets }) => targets);
    expect(shown.length).toBeGreaterThan(20);
    const problems = panels.flatMap(({ title, targets }) =>
      targets.flatMap(({ expr, legendFormat }) =>
        namingProblems(expr, legendFormat).map((problem) => `${title}: ${problem}`),
      ),
    );
    expect(problems).toEqual([]);
  });

  it("shows every panel: none lies over another, or beyond the edge", () => {
    const overlap = ({ gridPos: a }: Panel, { gridPos: b }: Panel) =>
      a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
    for (const [index, panel] of panels.entries()) {
      expect(panel.gridPos.x + panel.gridPos.w).toBeLessThanOrEqual(24);
      const over = panels.slice(index + 1).filter((other) => overlap(panel, other));
      expect(over.map(({ title }) => `${panel.title} and ${title}`)).toEqual([]);
    }
  });
});

describe("the job for Nomad", () => {
  it("has a configuration that is accepted, of options that there are", () => {
    const env = jobEnvironment();
    const known = OPTION_NAMES.map(optionEnv);
    expect(Object.keys(env).filter((name) => !known.includes(name))).toEqual([]);
    const filled = Object.entries(env).map(([name, text]) => [
      name,
      text.replace("${NOMAD_SECRETS_DIR}", "/secrets"),
    ]);
    const { warnings, config } = resolveConfig({
      flags: {},
      env: { ...Object.fromEntries(filled), NCF_FEED: "redis://redis.example:6379/0?feed=prod" },
    });
    expect(warnings).toEqual([]);
    expect(config.listen).toEqual({ host: "0.0.0.0", port: 4650 });
  });

  it("reads the token that its identity writes, and asks for routes without a token that are open", () => {
    const job = readRepositoryFile(NOMAD_JOB);
    const name = /identity \{\n\s+name +=\s"(\w+)"/.exec(job)?.[1];
    expect(jobEnvironment()["NOMAD_TOKEN_FILE"]).toBe(`\${NOMAD_SECRETS_DIR}/nomad_${name}.jwt`);
    const open = [
      "/healthz",
      ...(jobEnvironment()["NCF_OPEN_ROUTES"] ?? "").split(",").map((route) => `/${route}`),
    ];
    const asked = [...job.matchAll(/path +=\s"(\/.+)"/g)].map(([, path]) => path);
    expect(asked).toHaveLength(2);
    for (const path of asked) expect(open).toContain(path);
  });

  it("maps the port that the image exposes, and runs its command", () => {
    const exposed = dockerfile().find(({ name }) => name === "EXPOSE")?.text;
    expect(readRepositoryFile(NOMAD_JOB)).toContain(`to = ${exposed}`);
  });

  it("has the policy that docs/operations.md shows", () => {
    const rulesOf = (text: string) =>
      text
        .replaceAll(/^#.*\n/gm, "")
        .replaceAll(/\n+/g, "\n")
        .trim();
    const shown = /```hcl\n(.*?)```/s.exec(readRepositoryFile("docs/operations.md"))?.[1] ?? "";
    expect(shown).toContain("list-jobs");
    expect(rulesOf(readRepositoryFile(NOMAD_POLICY))).toBe(rulesOf(shown));
  });
});
