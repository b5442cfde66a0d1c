import { describe, expect, it } from "vitest";
import { MAX_STEPS, StepLimitReached } from "../../src/filters/evaluation.ts";
import { createEventFilter } from "../../src/publishers/selection/event-filter.ts";
import { compileFilter } from "../../src/publishers/selection/filter-expression.ts";
import { ask, controlEvent, eventAfter, passes, sampleEvent } from "../support/filters.ts";
import { entryOf } from "../support/drafts.ts";

const STUB = `{
  "Status": "running", "Empty": "", "Priority": 50, "Ratio": 0.25, "Stop": false, "Zero": 0,
  "CreateTime": 1795434687866379238, "Tags": ["prod", "eu", 7, true], "None": [], "Null": null,
  "Meta": {"env": "prod", "a/b": "slash", "0": "zero"}, "Nothing": {},
  "Tasks": {"main": {"State": "dead", "Failed": true, "Events": [{"Type": "Started"}, {"Type": "Killed"}]},
            "side": {"State": "running", "Failed": false, "Events": []}},
  "Groups": [{"Name": "api", "Count": 3}, {"Name": "db", "Count": 1}]
}`;
const event = eventAfter(STUB, { signals: ["allocation.failed"] });

describe("of a version of a job that no poll saw", () => {
  const actor = { kind: "token", id: "accessor-b" };
  const data = { op: "version", version: 4, resource: { name: "Web" }, actor };
  const version = sampleEvent(JSON.stringify(data), { op: "version", resource: "jobs", key: "web" });

  it.each<[string, boolean]>([
    ["ID == web and Namespace == default and Name == Web", true],
    ["ID == db", false],
    ["Status == dead", false],
    ["Status != dead", true],
    ["Stop is nil and JobSummary.Summary is nil", true],
    ["after.Stop is nil and before.Stop is nil and changes is empty", true],
    ['op == version and actor.id == "accessor-b"', true],
  ])("only what names the job is known: %s is %s", (expression, expected) => {
    expect(passes(expression, version)).toBe(expected);
  });
});

describe("operators", () => {
  it.each<[string, boolean]>([
    ['Status == "running"', true],
    ["Status == `running`", true],
    ["Status == running", true],
    ['Status == "dead"', false],
    ['Status != "dead"', true],
    ["Status != running", false],
    ["Priority == 50", true],
    ['Priority == "50"', true],
    ["Priority == 50.0", true],
    ["Priority == 5", false],
    ["Priority != 5", true],
    ["Ratio == 0.25", true],
    ['Ratio == "2.5e-1"', true],
    ["Ratio == 0.3", false],
    ["Zero == -0", true],
    ["Stop == false", true],
    ["Stop == true", false],
    ['Stop == "F"', true],
    ["Stop == no", false],
    ["Status == true", false],
    ['"prod" in Tags', true],
    ["prod in Tags", true],
    ["7 in Tags", true],
    ["true in Tags", true],
    ['"pro" in Tags', false],
    ["pro not in Tags", true],
    ["Tags contains eu", true],
    ["Tags not contains eu", false],
    ["Status contains unn", true],
    ['"unn" in Status', true],
    ["Status not contains x", true],
    ["Meta contains env", true],
    ["env in Meta", true],
    ["prod in Meta", false],
    ["5 in Priority", false],
    ["Status matches `^run`", true],
    ["Status matches `^un`", false],
    ["Status not matches `^un`", true],
    ["Priority matches `5`", false],
    ["Priority not matches `5`", true],
    ["Empty is empty", true],
    ["None is empty", true],
    ["Nothing is empty", true],
    ["Null is empty", true],
    ["Status is empty", false],
    ["Tags is not empty", true],
    ["Priority is empty", false],
    ["Null is nil", true],
    ["None is nil", false],
    ["None is not nil", true],
    ["Tags == prod", false],
    ["Meta != prod", true],
  ])("%s: %s", (expression, expected) => {
    expect(passes(expression, event)).toBe(expected);
  });

  it.each<[string, boolean]>([
    ["Status == running and Priority == 50", true],
    ["Status == running and Priority == 5", false],
    ["Status == dead or Priority == 50", true],
    ["not Status == dead", true],
    ["not not Status == dead", false],
    ["Status == running or Status == x and Priority == 5", true],
    ["(Status == running or Status == x) and Priority == 5", false],
    ["not Status == dead and Priority == 5", false],
    ["not (Status == dead and Priority == 5)", true],
    ["\t\r\n Status\t==\r\nrunning \n", true],
  ])("%s: %s", (expression, expected) => {
    expect(passes(expression, event)).toBe(expected);
  });

  it("tells 64-bit integers apart that one float would hold", () => {
    expect(passes("CreateTime == 1795434687866379238", event)).toBe(true);
    expect(passes("CreateTime == 1795434687866379239", event)).toBe(false);
    expect(passes("CreateTime != 1795434687866379300", event)).toBe(true);
    const most = eventAfter('{"Index": 18446744073709551615, "Indexes": [9007199254740993]}');
    expect(passes("Index == 18446744073709551615", most)).toBe(true);
    expect(passes("Index == 18446744073709551616", most)).toBe(false);
    expect(passes("9007199254740993 in Indexes", most)).toBe(true);
    expect(passes("9007199254740992 in Indexes", most)).toBe(false);
  });
});

describe("selectors", () => {
  it.each<[string, boolean]>([
    ["Meta.env == prod", true],
    ['Meta["env"] == prod', true],
    ["Meta[ `a/b` ] == slash", true],
    ["Meta.a/b == slash", true],
    ["Meta.0 == zero", true],
    ["after.Meta.env == prod", true],
    ['"/Meta/env" == prod', true],
    ['"/after/Meta/a~1b" == slash', true],
    ["Tags.0 == prod", true],
    ["Groups.1.Name == db", true],
    ["Tasks.main.Events.1.Type == Killed", true],
    ["op == update", true],
    ["type == nomad.allocation.updated", true],
    ["type matches `^nomad\\.allocation`", true],
    ["aspect == status", true],
    ["severity == INFO", true],
    ["severity != ERROR", true],
    ["allocation.failed in signals", true],
    ["signals contains node.down", false],
    ["signals is not empty", true],
    ["resource.type == allocations", true],
    ["resource.namespace == default", true],
    ["resource.id == a1", true],
    ["resource.job == web", true],
    ["resource.node == n1", true],
  ])("%s: %s", (expression, expected) => {
    expect(passes(expression, event)).toBe(expected);
  });

  it("reads name and group from the event, for its facts do not have them", () => {
    const named = sampleEvent('{"resource":{"name":"web.api[0]","group":"api"},"after":{}}');
    expect(passes("resource.name == `web.api[0]` and resource.group == api", named)).toBe(true);
  });

  it("means by a capital the object: after it changed, or before it was deleted", () => {
    const deleted = sampleEvent('{"before":{"Status":"dead"}}', { op: "delete" });
    expect(passes("Status == dead", deleted)).toBe(true);
    expect(passes("before.Status == dead", deleted)).toBe(true);
    expect(passes("after.Status == dead", deleted)).toBe(false);
    expect(passes("after.Status is nil", deleted)).toBe(true);
    expect(passes("before.Status == running", event)).toBe(false);
  });

  it("takes what is not there, or null, as nothing: equal to nothing, empty, nil", () => {
    for (const name of ["Missing", "Missing.Below", "Null", "Status.Below", "Tags.9", "constructor.name"]) {
      const selector = `after.${name}`;
      const said = ["== x", "!= x", "contains x", "not contains x", "matches `.*`", "not matches `.*`"].map(
        (rest) => passes(`${selector} ${rest}`, event),
      );
      expect(said).toEqual([false, true, false, true, false, true]);
      expect(passes(`${selector} is empty and ${selector} is nil`, event)).toBe(true);
      expect(passes(`${selector} is not empty or ${selector} is not nil`, event)).toBe(false);
      expect(passes(`any ${selector} as x { x is nil }`, event)).toBe(false);
      expect(passes(`all ${selector} as x { x is nil }`, event)).toBe(true);
    }
  });
});

describe("any and all", () => {
  it.each<[string, boolean]>([
    ["any Groups as g { g.Name == db }", true],
    ["any Groups as g { g.Name == x }", false],
    ["all Groups as g { g.Count is not nil }", true],
    ["all Groups as g { g.Count == 3 }", false],
    ["any Tasks as name { name == main }", true],
    ["any Tasks as name, task { name == main and task.Failed == true }", true],
    ["any Tasks as name, _ { name == x }", false],
    ["any Tasks as _, task { task.State == running }", true],
    ["any Groups as index, g { index == 1 and g.Name == db }", true],
    ["any Tasks as _, task { any task.Events as e { e.Type == Killed } }", true],
    ["all Tasks as _, task { any task.Events as e { e.Type == Killed } }", false],
    ['any Groups as g { "/g/Name" == db }', true],
    ["any Tags as t { t == eu and Status == running }", true],
    ["any Groups as g { any Groups as g { g == x } or g.Name == db }", true],
    ["all None as x { x == y }", true],
    ["any Status as x { x == y }", false],
    ["not any Groups as g { g.Name == db } or Status == dead", false],
    ["(any Groups as g { g.Name == db }) and Status == running", true],
    ["any Groups as g { g.Name == db } and Status == running", true],
  ])("%s: %s", (expression, expected) => {
    expect(passes(expression, event)).toBe(expected);
  });
});

describe("changes", () => {
  const changed = sampleEvent(`{"after":{}, "changes":[
    {"path":"/ClientStatus","from":"running","to":"failed"},
    {"path":"/TaskStates/main/Events/3","to":{"Type":"Killed"}},
    {"path":"/DeploymentStatus","from":null,"to":{"Healthy":true,"Canary":false}},
    {"path":"/Meta/a~1b","from":"x","to":"y"}]}`);

  it.each<[string, boolean]>([
    ['"/ClientStatus" in changes', true],
    ["changes contains `/ClientStatus`", true],
    ['"/Client" in changes', false],
    ['"/TaskStates" in changes', true],
    ['"/TaskStates/main" in changes', true],
    ['"/TaskStates/main/Events/3/Type" in changes', true],
    ['"/TaskStates/main/Events/3/Other" in changes', false],
    ['"/DeploymentStatus/Healthy" in changes', true],
    ['"/DeploymentStatus/Timestamp" in changes', false],
    ['"/Meta/a~1b" in changes', true],
    ['"/Meta/a" in changes', false],
    ['"/NodeID" not in changes', true],
    ['"" in changes', true],
    ["changes is not empty", true],
    ['"/TaskStates" in changes.path', false],
    ['"/TaskStates/main/Events/3" in changes.path', true],
    ["any changes as c { c.path == `/ClientStatus` and c.from == running and c.to == failed }", true],
    ["any changes as c { c.path == `/ClientStatus` and c.to == running }", false],
    ["changes.0.to == failed", true],
  ])("%s: %s", (expression, expected) => {
    expect(passes(expression, changed)).toBe(expected);
  });

  it("has none where an object is new", () => {
    expect(passes('"/ClientStatus" in changes', event)).toBe(false);
    expect(passes("changes is empty", event)).toBe(true);
  });
});

describe("what an event does not say counts for it", () => {
  const large = sampleEvent('{"changes":[{"path":"/A","from":1,"to":2}],"changesTruncated":3}');

  it.each<[string, boolean]>([
    ["Status == running", true],
    ["not Status == running", true],
    ["Status == running and op == delete", false],
    ["Status == running and op == update", true],
    ["Status == running or op == update", true],
    ["any Tasks as t { t == x }", true],
    ['"/A" in changes', true],
    ['"/A" not in changes', false],
    ['"/B" in changes', true],
    ['"/B" not in changes', true],
    ["changes is empty", false],
    ["any changes as c { c.path == `/B` }", true],
    ["all changes as c { c.path == `/A` }", true],
    ["all changes as c { c.path == `/B` }", false],
    ["before.Status == running", false],
  ])("too large to be whole, %s: %s", (expression, expected) => {
    expect(passes(expression, large)).toBe(expected);
  });

  const stale = controlEvent();
  const everywhere = controlEvent({ namespace: "*" });
  const feed = controlEvent({ type: "nomad.feed.epoch", resource: null, namespace: null });

  it.each<[string, readonly boolean[]]>([
    ["op == delete", [true, true, true]],
    ["not op == delete", [true, true, true]],
    ["aspect == spec and node.down in signals", [true, true, true]],
    ["Status == running", [true, true, true]],
    ["resource.type == jobs", [true, true, true]],
    ["resource.type == nodes", [false, false, true]],
    ["resource.namespace == default and Status == running", [true, true, true]],
    ["resource.namespace == prod and Status == running", [false, true, true]],
    ["resource.id == a1 and resource.job == web and resource.name == x", [true, true, true]],
    ["type == nomad.feed.scope", [true, true, false]],
    ["type == nomad.job.updated", [false, false, false]],
    ["severity == WARN", [true, true, true]],
    ["severity == ERROR", [false, false, false]],
  ])("a control event, %s: %j", (expression, expected) => {
    expect([stale, everywhere, feed].map((control) => passes(expression, control))).toEqual(expected);
  });
});

describe("what it costs", () => {
  it("parses nothing where the facts decide, wherever they stand in the expression", () => {
    for (const expression of [
      "op == delete",
      "Status == running and op == delete",
      "op == update or Status == running",
      "resource.job == web and allocation.failed in signals",
      "any Tasks as t { t == x } and severity == ERROR",
    ]) {
      expect({ expression, parsed: ask(expression, event).parsed }).toEqual({ expression, parsed: 0 });
    }
    expect(ask("op == update and Status == running", event).parsed).toBe(1);
  });

  it("lets an event pass where asking would cost too much, rather than ask on", () => {
    const numbers = Array.from({ length: 1000 }, (_, position) => position);
    const wide = eventAfter(JSON.stringify({ List: numbers, Text: "a".repeat(10_000) }));
    const everyPair = (inner: string) => `any List as a { any List as b { ${inner} } }`;
    expect(MAX_STEPS).toBeLessThan(1000 * 1000);
    expect(passes(everyPair("a == x and b == x"), wide)).toBe(true);
    expect(passes("any List as a { a == x }", wide)).toBe(false);
    expect(passes("Text matches `(a|aa|aaa|aaaa|aaaaa)*b`", wide)).toBe(true);
    expect(passes("Text matches `a+b`", wide)).toBe(false);
    expect(passes(`Text contains "${"a".repeat(999)}b${"a".repeat(999)}"`, wide)).toBe(true);
    expect(passes("Text contains ab", wide)).toBe(false);
  });

  const members = (count: number, value: unknown) =>
    Object.fromEntries(Array.from({ length: count }, (_, position) => [`m${position}`, value]));
  const replaced = (part: unknown) => ({ changes: [{ path: "/M", from: { part }, to: { part } }] });
  it.each<[string, string, (size: number) => object]>([
    ["whether a map is empty", "M is empty", (size) => ({ after: { M: members(size, 1) } })],
    ["a loop that ends at once", "any M as m { m != x }", (size) => ({ after: { M: members(size, 1) } })],
    ["a list", "List contains x", (size) => ({ after: { List: Array(size).fill(1) } })],
    ["equal texts", `Text == "${"a".repeat(4000)}"`, (size) => ({ after: { Text: "a".repeat(size) } })],
    ["a search", "Text contains ba", (size) => ({ after: { Text: "a".repeat(size) } })],
    ["a plain pattern", "Text matches `ba`", (size) => ({ after: { Text: "a".repeat(size) } })],
    ["parts of an object", 'changes contains "/M/part"', (size) => replaced(members(size, 1))],
    ["texts of an object", 'changes contains "/M/part"', (size) => replaced("a".repeat(size))],
    [
      "paths of changes",
      "changes.path is empty",
      (size) => ({ changes: Array.from({ length: size }, () => ({ path: "/A", from: 1, to: 2 })) }),
    ],
  ])("pays for what it lists or compares: %s", (_name, expression, data) => {
    const [small, large] = [40, 4000].map((size) => ask(expression, sampleEvent(JSON.stringify(data(size)))));
    expect(large?.steps).toBeGreaterThan((small?.steps ?? 0) + 60);
  });

  it("bounds short searches, each of which JavaScript begins anew at every character", () => {
    const data = { after: { Text: "a".repeat(20_000), M: members(450, 1) } };
    const large = sampleEvent(JSON.stringify(data));
    // That takes ten nanoseconds and more, which less than an eighth of a step would not pay for.
    expect(ask("Text contains ab", large).steps).toBeGreaterThanOrEqual(20_000 / 8);
    expect(ask("any M as m { Text contains ab }", large)).toMatchObject({ passes: true });
  });

  it("bounds loops over a map within loops over it, however soon each of them ends", () => {
    const job = eventAfter(JSON.stringify({ M: members(450, { Queued: 0 }) }));
    const pairs = "any M as a { all M as b { b == x } }";
    const { passes: isWanted, steps } = ask(Array(40).fill(pairs).join(" or "), job);
    expect(isWanted).toBe(true);
    expect(steps).toBeLessThan(MAX_STEPS + 1000);
    expect(passes(pairs, eventAfter(JSON.stringify({ M: members(45, 1) })))).toBe(false);
  });

  it("is shared by the expressions of a subscription", () => {
    const text = "a".repeat(20_000);
    const entry = entryOf({ json: JSON.stringify({ data: { after: { Text: text } } }) });
    const cost = { steps: 0, parsed: 0 };
    const filters = Array.from({ length: 8 }, () => compileFilter("Text matches `(a?){200}b`", []));
    expect(createEventFilter({ filters })(entry, cost)).toBe(true);
    expect(cost.steps).toBeGreaterThan(MAX_STEPS / 2);
    expect(cost.steps).toBeLessThan(MAX_STEPS * 1.1);
    // Parsed once for all of them, and for whoever asks next.
    expect(cost.parsed).toBe(entry.json.length);
    createEventFilter({ filters })(entry, cost);
    expect(cost.parsed).toBe(entry.json.length);
  });

  it("can be limited by whoever asks, who then learns nothing of the event", () => {
    const wide = eventAfter(JSON.stringify({ List: Array(1000).fill(1) }));
    expect(() => ask("any List as a { a == 2 }", wide, 500)).toThrow(StepLimitReached);
    expect(ask("any List as a { a == 2 }", wide, 5000).passes).toBe(false);
  });
});
