import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { rules } from "../../src/alerts/rules/user-rules.ts";
import { RULES } from "../../src/alerts/rules/table.ts";
import type { AnyRule } from "../../src/alerts/rules/rule.ts";
import { alertsSchema } from "../../src/schemas/alert-rules.ts";
import { printDuration } from "../../src/shared/duration.ts";
import { AlertFeed, MINUTE } from "../support/alert-feed.ts";

const named = (name: string): AnyRule => {
  const found = RULES.find((rule) => rule.name === name);
  if (found === undefined) throw new Error(`no rule ${name}`);
  return found;
};

/** As a user writes it. */
const wanted = (given: object) => rules(RULES, alertsSchema.parse({ rules: given }).rules);

describe("the table", () => {
  test("has causes before what they explain, on what they explain", () => {
    const names = RULES.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const [place, { foldsInto, on }] of RULES.entries()) {
      for (const cause of foldsInto) {
        expect(names.indexOf(cause)).toBeGreaterThanOrEqual(0);
        expect(names.indexOf(cause)).toBeLessThan(place);
        expect([on, "group"]).toContain(named(cause).on);
      }
    }
  });

  test("counts restarts and kills for no longer than a failure that explains them fires on", () => {
    for (const { foldsInto, withinMs = 0 } of RULES.filter(({ on }) => on === "group")) {
      for (const cause of foldsInto) expect(named(cause).keepFiringForMs).toBeGreaterThanOrEqual(withinMs);
    }
  });

  test("is docs/alerts.md", () => {
    const file = new URL("../../docs/alerts.md", import.meta.url);
    if (process.env["UPDATE_DOCS"] === "1") writeFileSync(file, page());
    expect(
      readFileSync(file, "utf8"),
      "Stale: run UPDATE_DOCS=1 npx vitest run test/unit/alert-rules.test.ts",
    ).toBe(page());
  });
});

describe("rules of users", () => {
  test("change ours, in the words of the table", () => {
    const { rules: all, problems } = wanted({
      JobFailing: { severity: "FATAL", for: "5m", where: { namespace: "prod,!test-*" }, summary: "{job}!" },
    });
    expect(problems).toEqual([]);
    expect(all.find(({ name }) => name === "JobFailing")).toMatchObject({
      severity: "FATAL",
      forMs: 5 * MINUTE,
      keepFiringForMs: 10 * MINUTE,
      atLeast: 1,
      summary: "{job}!",
      where: { namespace: ["prod", "!test-*"] },
    });
    expect(all).toHaveLength(RULES.length);
  });

  test("switch ours off, and what it would have explained is told of again", () => {
    const { rules: all } = wanted({ DeploymentFailed: "off" });
    const feed = new AlertFeed(all).put("deployments", { Status: "failed" });
    feed.put("allocations", { ClientStatus: "failed", JobVersion: 1 }).pass(MINUTE);
    expect(feed.names).toEqual(["JobFailing web/frontend"]);
  });

  test("are added as variants of ours, for a part of what there is", () => {
    const { rules: all } = wanted({
      NodeDown: { where: { node: "!gpu-*" } },
      GpuNodeDown: { like: "NodeDown", where: { node: ["gpu-*"] }, for: "0s", severity: "FATAL" },
    });
    const feed = new AlertFeed(all);
    feed.put("nodes", { ID: "a", Name: "gpu-1" }).put("nodes", { ID: "b", Name: "web-1" });
    feed.put("nodes", { ID: "a", Status: "down" }).put("nodes", { ID: "b", Status: "down" });
    expect(feed.firing).toMatchObject([{ rule: "GpuNodeDown", severity: "FATAL", labels: { node: "a" } }]);
    feed.pass(MINUTE);
    expect(feed.names).toEqual(["GpuNodeDown a", "NodeDown b"]);
  });

  test("explain what the rule they are variants of explains", () => {
    const { rules: all } = wanted({ NodeDown: "off", Dead: { like: "NodeDown", for: "0s" } });
    const feed = new AlertFeed(all).put("nodes", {}).put("nodes", { Status: "disconnected" }).pass(MINUTE);
    feed.put("nodes", { Status: "down" });
    expect(feed.firing.map(({ rule }) => rule)).toEqual(["Dead"]);
  });

  test.each([
    [{ JobFailin: { for: "1m" } }, "rules.JobFailin", "did you mean JobFailing?"],
    [{ Mine: { like: "NodeDwn" } }, "rules.Mine.like", "did you mean NodeDown?"],
    [{ Mine: { for: "1m" } }, "rules.Mine", "a rule of your own needs like"],
    [{ Mine: "off" }, "rules.Mine", "is no rule of ours"],
    [{ NodeDown: { like: "JobFailing" } }, "rules.NodeDown.like", "is for rules of your own"],
    [{ NodeDown: { within: "5m" } }, "rules.NodeDown.within", "means nothing for NodeDown"],
    [{ NodeDown: { where: { job: "a" } } }, "rules.NodeDown.where.job", "allowed: node"],
  ])("that cannot be meant are refused by name: %o", (given, path, message) => {
    const { problems } = wanted(given);
    expect(problems).toHaveLength(1);
    expect(problems[0]?.path.join(".")).toBe(path);
    expect(problems[0]?.message).toContain(message);
  });

  test("of words that there are not are refused", () => {
    const { error } = alertsSchema.safeParse({ rules: { NodeDown: { wihtin: "5m" }, mine: {} } });
    expect(error?.issues.map(({ path }) => path.join("."))).toEqual(["rules.NodeDown", "rules.mine"]);
  });
});

function page(): string {
  return `${INTRODUCTION}\n${table()}${RULES.map(section).join("")}`;
}

function table(): string {
  const rows = RULES.map((rule) => [
    `[${rule.name}](#${rule.name.toLowerCase()})`,
    rule.severity,
    labelsOf(rule),
  ]);
  return markdownTable(["rule", "severity", "one alert per"], rows);
}

const LABELS = {
  group: "namespace, job, group",
  job: "namespace, job",
  node: "node",
  scope: "scope of the feed",
};

const labelsOf = ({ on }: AnyRule): string => LABELS[on];

function section(rule: AnyRule): string {
  const todo = rule.todo.map((step) => `- ${step}\n`).join("");
  return `\n## ${rule.name}\n\n> ${rule.summary}\n\n${rule.meaning}\n\n${settingsOf(rule)}\n\nWhat to do:\n\n${todo}`;
}

/** In the words of the configuration file. */
function settingsOf(rule: AnyRule): string {
  const { severity, forMs, keepFiringForMs, atLeast, withinMs, longerThanMs, foldsInto } = rule;
  const words = [
    `severity: ${severity}`,
    `for: ${printDuration(forMs)}`,
    `keepFiringFor: ${printDuration(keepFiringForMs)}`,
    ...(atLeast === undefined ? [] : [`atLeast: ${atLeast}`]),
    ...(withinMs === undefined ? [] : [`within: ${printDuration(withinMs)}`]),
    ...(longerThanMs === undefined ? [] : [`longerThan: ${printDuration(longerThanMs)}`]),
  ];
  const causes = foldsInto.length === 0 ? "" : ` It folds into ${foldsInto.join(", ")}.`;
  return `\`{ ${words.join(", ")} }\`.${causes}`;
}

/** Padded, as the formatter leaves it. */
function markdownTable(head: string[], rows: string[][]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: string[], filler: string) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0, filler)).join(" | ")} |`;
  const rule = line(
    head.map(() => ""),
    "-",
  );
  return `${[line(head, " "), rule, ...rows.map((row) => line(row, " "))].join("\n")}\n`;
}

const INTRODUCTION = `# Alerts

An alert is a state with a beginning and an end, made from the feed's events. Its rule and its labels identify it: whatever happens, there is one alert of a rule for one group, job, node or scope, with a count, the reasons, and the ids of the events that show it. [Decision 33](decisions/0033-what-an-alert-is-a-function-of.md) says what an alert is a function of.

A rule must hold for its \`for\` before the alert fires. When it holds no longer, the alert fires on for \`keepFiringFor\`, so that what comes back at once is the same alert. An alert that ended says why: \`recovered\`; \`collected\`, Nomad forgot what it was about; \`purged\` or \`gone\`, the job is no more; \`stopped\`; \`namespace removed\`; \`node removed\`; \`rule switched off\`; \`folded into\` another alert that explains it.

Consequences fold into causes. Allocations lost with a node belong to the node's alert. Allocations that fail in a rollout belong to its deployment: while it goes on nothing is said, and when it failed there is one alert. Where a rule folds into others, it is silent while one of them fires for the same subject.

While a scope of the feed is stale or may not be read, alerts about it stand still: nothing resolves, nothing begins. Restarts, kills and losses are counted as they are seen; those that happened while nobody looked are not.

Rules are changed, switched off and added in the configuration file, in the words of this page:

\`\`\`yaml
alerts:
  rules:
    JobFailing: { for: 3m, where: { namespace: "!sandbox" } }
    NodeDrainSlow: off
    PaymentsFailing:
      like: JobFailing
      where: { namespace: [prod], job: ["payments-*"] }
      severity: FATAL
      for: 0s
      summary: "Payments fail: {why}"
\`\`\`

Expressions of the [filter language](filters.md) can be asked of an alert: \`resource.namespace\`, \`.job\`, \`.group\`, \`.node\` and \`severity\` are as of an event; \`Rule\`, \`State\`, \`Count\`, \`Labels\` and \`Details\` are the members of the object: \`Rule == "JobFailing" and Details.why contains "out of memory"\`.

This page is generated from the table in \`src/alerts/rules\`.
`;
