import { describe, expect, it } from "vitest";
import { createFilter } from "../../src/filters/filter.ts";
import { eventAfter, passes } from "../support/filters.ts";

const parses = (text: string) => createFilter(text, { signals: [] });

/** As they stand in Nomad's documentation and tests, each group with the page or file it is from. */
const NOMADS: Readonly<Record<string, readonly string[]>> = {
  "API documentation, Filtering": [
    'HTTPAddr matches "10.0.0..+"',
    'Datacenters contains "dc2"',
    'Status != "successful"',
  ],
  "API documentation, Node Pools": ['Meta.env == "production"'],
  "API documentation, Task API": ['Meta.example == "Hello World!"'],
  "command eval delete": [
    'Status == "pending" and JobID == "example"',
    'Scheduler == "system" or Scheduler == "service"',
    'Status == "Pending"',
  ],
  "command node pool nodes": ['Datacenter == "dc2"', 'Name matches "dev"'],
  "command node pool jobs": ['ID == "job1"'],
  "command node pool list": ['Name contains "prod"', 'Name == "prod-1"'],
  "command var list": ['VariableMetadata.Path == "a/b/c"'],
  "web interface, child jobs and evaluations": [
    'ParentID == "web"',
    'Status contains "complete"',
    'TriggeredBy contains "job-register"',
    '(ID contains "abc" or JobID contains "abc" or NodeID contains "abc" or TriggeredBy contains "abc")',
  ],
  "tests of the list endpoints": [
    'JobID=="example"',
    "ParentID == parent",
    'Tags contains "blue"',
    'AccessorID matches "^a+[123]"',
    'TaskGroup == "goo"',
    'ID contains "aaa"',
    'Namespace == "non-default"',
    'ID matches "^vol-0[123]"',
    'Provider == "com.hashicorp:mock"',
    'Status == "cancelled"',
    'Name matches "job-0[123]"',
    'Name matches "job-0[12345]"',
    'Meta["foo"] == "bar"',
    'InvalidField == "value"',
  ],
};

describe.each(Object.entries(NOMADS))("Nomad, %s:", (_page, expressions) => {
  it.each(expressions)("%s", (expression) => {
    expect(parses(expression)).toBeTypeOf("function");
  });
});

/** Forms of Nomad's page "Filtering", with something in the place of each name. */
describe("the forms that Nomad's page on filtering describes", () => {
  it.each([
    'TaskGroups.cache is not empty and TaskGroups["cache"] is not empty',
    'ID == "a" and ID != "a"',
    "Tags is empty or Tags is not empty",
    '"a" in Tags and "a" not in Tags',
    'Tags contains "a" and Tags not contains "a"',
    'Name matches "a" and Name not matches "a"',
    "Name == 3 and Name == 3.5 and Name == other and Name == `raw\\n`",
  ])("%s", (expression) => {
    expect(parses(expression)).toBeTypeOf("function");
  });

  it("gives not and and or the precedence that it says", () => {
    for (const stub of [
      '{"A":1,"B":2,"C":0}',
      '{"A":1,"B":0,"C":0}',
      '{"A":0,"B":0,"C":3}',
      '{"A":1,"B":2,"C":3}',
    ]) {
      const bare = passes("A == 1 and not B == 2 or C == 3", eventAfter(stub));
      expect(bare).toBe(passes("( A == 1 and (not B == 2)) or C == 3", eventAfter(stub)));
    }
  });

  it("selects of its jobs what its page shows", () => {
    const countdash = eventAfter(
      '{"ID":"countdash","Datacenters":["dc1","dc2"],"Status":"pending","Priority":50}',
    );
    const example = eventAfter('{"ID":"example","Datacenters":["dc1"],"Status":"running","Priority":50}');
    const chosen = (expression: string) => [countdash, example].map((event) => passes(expression, event));
    expect(chosen('Datacenters contains "dc2"')).toEqual([true, false]);
    expect(chosen('Status == "running"')).toEqual([false, true]);
  });
});

/** Of go-bexpr's tests of its grammar, with names that begin with a capital: ours say something else. */
describe("what go-bexpr's tests of its grammar accept", () => {
  it.each([
    "Foo == 3",
    '"/Foo" == 3',
    '"/Hy-phen/under_score/pi|pe/do.t/ti~lde/co:lon" == 3',
    "Foo/bar == 3",
    "Foo != xyz",
    "List is empty",
    "List is not empty",
    "foo in Bar",
    "foo not in Bar",
    "Bar contains foo",
    "Bar not contains foo",
    "Foo matches bar",
    "Foo not matches bar",
    "not prod in Tags",
    "Port != 80 and Port != 8080",
    "Port == 80 or Port == 443",
    'Foo == "bar"',
    'Foo != "bar"',
    '"foo" in Bar',
    "`foo` not in Bar",
    "x in Foo and not Str == something or List is empty",
    "x in Foo and not (Str == something or List is empty)",
    "\t\r\n  Foo \t\r\n == \t\r\n x \t\r\n",
    "\t\r\n  foo \t\r\n not \t\r\n in \t\r\n X \t\r\n",
    "\t\r\n  Foo \t\r\n is \t\r\n not \t\r\n empty \t\r\n",
    "\t\r\n not \t\r\n  foo \t\r\n in \t\r\n X \t\r\n",
    "\t\r\n ( \t\r\n Foo \t\r\n == \t\r\n x \t\r\n ) \t\r\n",
    '`environment` in Foo.bar["meta"].tags[\t`ENV` ]',
    'environment in "/Hy-phen/under_score/pi|pe/do.t/ti~lde"',
    'environment in Foo["bar"]["meta"]["tags"]["ENV"]',
    "environment in Foo.bar.meta.tags.ENV",
    'environment in Foo["abc-def ghi åß∂ƒ"]',
    "Foo == 0.2",
    "Foo == 11.11",
    "Foo == -0.2",
    "not not Foo == 3",
    'all Group.tasks as t { t.name == "hello" }',
    'all Group.tasks as t { all t.test as i { i == "test" }}',
    "all Group.tasks as k, v { k == v }",
    'any Group.tasks as t { t.name == "vmware" }',
    'any Group.tasks as t { any t.test as t { t == "test" }}',
    "Foo is nil and Foo is not nil",
    "(((Foo == 3) and (not ((bar in Baz) and (not (One != two))))) or (((Next is empty) and (not (Foo is not empty))) and (bar not in Foo)))",
  ])("%s", (expression) => {
    expect(parses(expression)).toBeTypeOf("function");
  });
});

describe("what go-bexpr's tests of its grammar refuse", () => {
  it.each([
    'Foo == "12x',
    "Foo == `12x",
    "Foo == 3x",
    "Foo[3] == abc",
    'x in Foo["abc"',
    'Foo["abc" == 3',
    "x in 32",
    "32 == 32",
    "32 is empty",
    "x in Foo abc",
    "x in Foo and ",
    "x in Foo or ",
    "x in Foo or not ",
    "(Foo == 4",
    'all Group.tasks as { t.name == "hello" }',
    'all as t { t.name == "hello" }',
  ])("%s", (expression) => {
    expect(() => parses(expression)).toThrow(expect.objectContaining({ code: "INVALID_FILTER" }));
  });
});
