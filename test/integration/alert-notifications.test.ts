import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { silenceSchema } from "../../src/schemas/routes.ts";
import { ToldBridge } from "../support/told-bridge.ts";
import { until } from "../support/until.ts";

let told: ToldBridge;
beforeEach(async () => {
  told = await ToldBridge.open();
});
afterEach(() => told[Symbol.asyncDispose]());

/** Everybody by HTTP; `routes` a line each. */
const file = (...routes: string[]) => `destinations:
  people: { type: alert-webhook, url: "${told.sink.url}/people", allowPrivate: true }
  others: { type: alert-webhook, url: "${told.sink.url}/others", allowPrivate: true }
routes:
${routes.map((route) => `  - ${route}\n`).join("")}`;
const TO_PEOPLE = "{ to: people, groupWait: 0s, groupInterval: 1s, groupBy: [node] }";

const firing = async (node: string | undefined) =>
  (await told.alerts()).alerts.find(({ labels, state }) => state === "firing" && labels["node"] === node);

describe("a silence", () => {
  it("is for the rules of all flags, and narrower by each filter", async () => {
    await told.start(file(TO_PEOPLE));
    const rules = ["--rules", "NodeDown", "--rules", "Job*"];
    const filters = ["--filter", "severity == WARN", "--filter", "resource.node == a or resource.node == b"];
    const added = await told.cli("silence", "add", ...rules, ...filters, "--for", "1h", "--json");
    expect(silenceSchema.parse(JSON.parse(added.stdout)).matchers).toMatchObject({
      rules: ["NodeDown", "Job*"],
      filter: "(severity == WARN) and (resource.node == a or resource.node == b)",
    });
  });

  it("keeps people from being told, over a restart too, and once it was ended they are told what still fires", async () => {
    const [silent, loud, late] = told.nodes;
    await told.start(file(TO_PEOPLE));
    const added = await told.cli(
      "silence",
      "add",
      "--filter",
      `resource.node == "${silent}" or resource.node == "${late}"`,
      "--for",
      "1h",
      "--comment",
      "we move it",
      "--json",
    );
    const { id } = silenceSchema.parse(JSON.parse(added.stdout));
    told.setNode(silent, "down");
    await until("it fires", async () => (await firing(silent)) !== undefined);
    expect(await firing(silent)).toMatchObject({ silencedBy: [id] });
    told.setNode(loud, "down");
    await until("people are told of the other", () => told.told().length > 0);
    expect(told.told()).toEqual([`firing ${loud}`]);
    const shown = await told.cli("alerts");
    expect(shown.stdout).toContain(`(silenced by ${id})`);
    expect(shown.stdout).toContain("2 firing (1 silenced), 0 pending");
    await told.start(file(TO_PEOPLE));
    expect((await told.cli("silence", "list")).stdout).toContain(id);
    told.setNode(late, "down");
    await until("it fires", async () => (await firing(late))?.silencedBy?.includes(id));
    told.setNode(loud, "ready");
    await until("people are told of an end", () => told.told().length > 1);
    expect(told.told().slice(1)).toEqual([`resolved ${loud}`]);
    expect(await told.cli("silence", "expire", id)).toMatchObject({ code: 0 });
    await until("people are told of both", () => told.told().length > 3);
    expect(told.told().slice(2).toSorted()).toEqual([`firing ${silent}`, `firing ${late}`].toSorted());
    expect(await firing(silent)).toMatchObject({ silencedBy: [] });
  });
});

describe("other routes in the file", () => {
  it("are applied while it runs: nobody is told twice, and nothing is lost", async () => {
    const [first, second, third] = told.nodes;
    await told.start(file(TO_PEOPLE));
    told.setNode(first, "down");
    await until("people are told", () => told.told().length > 0);
    // Grouped otherwise: the same alert in another group is the same alert.
    told.write(file(TO_PEOPLE.replace("[node]", "[cluster]")));
    const { code, stdout } = await told.cli("reload");
    expect({ code, stdout }).toEqual({ code: 0, stdout: `applied ${told.file}: routes changed\n` });
    told.setNode(second, "down");
    await until("people are told of what is new", () => told.told().length > 1);
    expect(told.told()).toEqual([`firing ${first}`, `firing ${second}`]);
    // To others: they are told of what they have not heard of, and people of the end of what they have.
    told.write(file(`{ to: others, groupWait: 0s, groupInterval: 1s, groupBy: [node] }`));
    await told.cli("reload");
    await until("others are told", () => told.told().length > 3);
    told.setNode(first, "ready");
    told.setNode(third, "down");
    await until("all is told", () => told.told().length > 6);
    const by = (path: string) =>
      told.told((request) => request.path === path).slice(path === "/people" ? 2 : 0);
    expect(by("/people")).toEqual([`resolved ${first}`]);
    expect(by("/others").toSorted()).toEqual(
      [`firing ${first}`, `firing ${second}`, `firing ${third}`, `resolved ${first}`].toSorted(),
    );
  });

  it("that are wrong are refused whole, with file, line and path, and the former hold", async () => {
    const [node] = told.nodes;
    await told.start(file(TO_PEOPLE));
    told.write(file("{ to: others, groupWait: 0s }", "{ to: nobody-here }", "{ to: people, filter: 'x =' }"));
    const refused = await told.cli("reload");
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    const lines = readFileSync(told.file, "utf8").split("\n");
    const at = (text: string) => `${told.file}:${lines.findIndex((line) => line.includes(text)) + 1}`;
    expect(refused.stderr.split("\n")).toMatchObject([
      `error: ${at("nobody-here")}: routes[1].to: "nobody-here" is no destination for people; allowed: none, people, others`,
      expect.stringContaining(`error: ${at("x =")}: routes[2].filter: filter, position 3: `) as string,
      "hint: Nothing of the file is applied; the former one goes on",
      "",
    ]);
    told.setNode(node, "down");
    await until("people are told, and not others", () => told.told().length > 0);
    expect(told.sink.taken.map(({ path }) => path)).toEqual(["/people"]);
  });
});
