import { describe, expect, it } from "vitest";
import type { EventFacts } from "../../console/src/feed/event-facts.ts";
import { alertRuleOf, clientCodeOf, curlOf, destinationOf } from "../../console/src/pages/live/automation.ts";
import { completed, completionAt } from "../../console/src/ui/filter/completion.ts";
import { conditionsOf, onlyWith, toggled, without } from "../../console/src/pages/live/conditions.ts";
import { groupsOf } from "../../console/src/pages/live/groups.ts";
import { queryOf, selectionOf } from "../../console/src/pages/live/selection.ts";
import { parseExpression } from "../../src/filters/parser.ts";

const SIGNALS = { signals: ["task.oom_killed"] };
const selected = (query: string) => selectionOf(new URLSearchParams(query));
const known = (selector: string) => (selector === "resource.job" ? ["web", "api"] : []);
const offered = (text: string) =>
  completionAt(text, text.length, known).suggestions.map(({ insert }) => insert);

describe("the address of the live page", () => {
  it("asks the bridge for jobs and nodes in its filter language", () => {
    const { filter, ...rest } = queryOf(
      selected("types=jobs,nodes&jobs=web,my%22job&filter=op+%3D%3D+%22create%22"),
    );
    expect(rest).toEqual({ types: ["jobs", "nodes"] });
    expect(filter).toEqual(['resource.job == "web" or resource.job == "my\\"job"', 'op == "create"']);
    for (const expression of [filter].flat())
      expect(() => parseExpression(expression ?? "", SIGNALS)).not.toThrow();
  });

  it("takes a value in, leaves it out again, and says what holds", () => {
    const selection = selected("namespaces=prod&minSeverity=WARN");
    expect(onlyWith(selection, "namespace", "qa")).toEqual({ namespaces: "prod,qa" });
    expect(toggled(selection, "namespace", "prod")).toEqual({ namespaces: "" });
    expect(conditionsOf(selection).map(({ label, value }) => `${label} ${value}`)).toEqual([
      "At least WARN",
      "Namespace prod",
    ]);
  });

  it.each([
    ["", "signal", "task.oom_killed", '"task.oom_killed" not in signals'],
    [
      'op == "create" or op == "delete"',
      "job",
      "web",
      '(op == "create" or op == "delete") and resource.job != "web"',
    ],
  ] as const)("excludes a value from %j", (filter, field, value, expected) => {
    const changes = without({ ...selected(""), filter }, field, value);
    expect(changes).toEqual({ filter: expected });
    expect(() => parseExpression(expected, SIGNALS)).not.toThrow();
  });
});

describe("the completion of a filter", () => {
  it.each([
    ["", "ClientStatus"],
    ["resource.job ", "=="],
    ["resource.job == ", '"web"'],
    ['resource.job == "a', '"api"'],
    ['severity == "', '"ERROR"'],
    ['op == "create" ', "and"],
    ['op == "create" and (not res', "resource.job"],
    ["Meta is not ", "empty"],
    ['"task.failed" in ', "signals"],
  ])("offers after %j what can stand there", (text, expected) => {
    expect(offered(text)).toContain(expected);
  });

  it("offers nothing of what cannot stand there", () => {
    expect(offered("resource.job ")).not.toContain("and");
    expect(offered('op == "create" ')).not.toContain("ClientStatus");
  });

  it("puts the chosen one in the place of what was typed", () => {
    const text = "resource.jo == ";
    const completion = completionAt(text, 11, known);
    const choice = completion.suggestions.find(({ insert }) => insert === "resource.job");
    expect(choice && completed(text, completion, choice)).toEqual({ text: "resource.job == ", caret: 13 });
  });
});

describe("what is shown, elsewhere", () => {
  const selection = selected(
    "types=allocations&namespaces=prod&signals=task.oom_killed&jobs=web&minSeverity=WARN&filter=Name+%3D%3D+%22it's%22",
  );

  it("is a command whose arguments a shell leaves alone", () => {
    expect(curlOf("http://127.0.0.1:4650/", selection).split(" \\\n  ")).toEqual([
      "curl -NG 'http://127.0.0.1:4650/v1/events'",
      "-H 'Accept: application/x-ndjson'",
      "--data-urlencode 'types=allocations'",
      "--data-urlencode 'namespaces=prod'",
      "--data-urlencode 'signals=task.oom_killed'",
      "--data-urlencode 'minSeverity=WARN'",
      `--data-urlencode 'filter=resource.job == "web"'`,
      String.raw`--data-urlencode 'filter=Name == "it'\''s"'`,
    ]);
  });

  it("is a program", () => {
    expect(clientCodeOf("http://127.0.0.1:4650/", selection)).toContain('  signals: ["task.oom_killed"],');
  });

  it("is a destination of the configuration file", () => {
    expect(destinationOf(selection)).toContain('    namespaces: ["prod"]');
  });

  it("is a rule of alerts for the same jobs", () => {
    expect(alertRuleOf(selection)).toContain("like: OomKilled");
    expect(alertRuleOf(selection)).toContain('where: { namespace: ["prod"], job: ["web"] }');
  });
});

describe("events put together by their cause", () => {
  const event = (number: number, facts: Partial<EventFacts>): EventFacts => ({
    cursor: `a-${number}`,
    id: "",
    type: "nomad.allocation.updated",
    time: "",
    timeMs: 0,
    recordedMs: number,
    severity: "INFO",
    op: "update",
    aspect: "status",
    signals: [],
    subject: `allocations/prod/${number}`,
    resource: "allocations",
    namespace: "prod",
    name: `web.web[${number}]`,
    job: "web",
    node: "",
    what: "failed",
    detail: "",
    ...facts,
  });

  it("are the same event of one job, with the reason why", () => {
    const change = { detail: "ClientStatus running → failed", severity: "ERROR" };
    const groups = groupsOf([
      event(4, change),
      event(3, { what: "running" }),
      event(2, change),
      event(1, { job: "api" }),
    ]);
    expect(groups.map(({ events, rule }) => [events.length, rule])).toEqual([
      [2, "same job web in prod, same change: ClientStatus running → failed"],
      [1, "job web in prod"],
      [1, "job api in prod"],
    ]);
  });
});
