import { afterEach, beforeEach, expect, it } from "vitest";
import { ToldBridge } from "../support/told-bridge.ts";
import { PagerDutySink } from "../support/pagerduty-sink.ts";
import { until } from "../support/until.ts";

const KEY = "0123456789abcdef0123456789abcdef";
const WRONG = "fedcba9876543210fedcba9876543210";

let told: ToldBridge;
let pagerDuty: PagerDutySink;
beforeEach(async () => {
  told = await ToldBridge.open({ KEY, WRONG });
  pagerDuty = await PagerDutySink.start(KEY);
});
afterEach(async () => {
  await told[Symbol.asyncDispose]();
  await pagerDuty[Symbol.asyncDispose]();
});

/** A pager with that key, and a webhook of events. */
const file = (key: string) => `destinations:
  pager: { type: pagerduty, routingKey: "env:${key}", url: "${pagerDuty.url}/v2/enqueue", allowPrivate: true, retry: { first: 10ms, most: 1h } }
  hook: { type: webhook, url: "${told.sink.url}", allowPrivate: true }
routes:
  - { to: pager, groupWait: 0s }
`;
const deliveries = (...args: string[]) => told.cli("deliveries", ...args);

it("deliveries say why PagerDuty refuses, test it, and tell what waited once its key is mended", async () => {
  await told.start(file("WRONG"));
  told.setNode(told.nodes[0], "down");
  await until("it is seen", async () => (await deliveries("list")).stdout.includes("routing key is wrong"));
  const list = await deliveries();
  expect(list.code).toBe(1);
  expect(list.stdout).toMatch(/^hook +delivering +\S+ +\d+ +0 +webhook/m);
  expect(list.stdout).toMatch(/^pager +circuit-open +\S+ +1 +0 +pagerduty +http:\/\/127\.0\.0\.1:\d+$/m);
  const shown = await deliveries("show", "pager");
  expect(shown.code).toBe(1);
  for (const line of [
    /^state +circuit-open since/m,
    /^reason +config: it answered 400 and says that the routing key is wrong$/m,
    new RegExp(`^worker +\\S+/${process.pid}/\\w+$`, "m"),
    /^waiting +1 messages, overdue \d/m,
    new RegExp(`^ +node ${told.nodes[0]}, cluster nomad.*: since \\S+, due \\S+$`, "m"),
    /^outcomes +0 told, 0 refused, \d+ sent once more$/m,
    /refused \(config\) {2}400 {2}\d+ ms {2}1 alert {2}\S*NodeDown/m,
    /^ {2}request:\n {4}POST http:\/\/127\.0\.0\.1:\d+$/m,
    /"event_action":"trigger"/,
    /^ {2}answer:\n {4}\{"errors":\["Invalid routing key"\]\}$/m,
  ]) {
    expect(shown.stdout).toMatch(line);
  }
  const test = await deliveries("test", "pager");
  expect(test).toMatchObject({ code: 1, stdout: expect.stringContaining("NomadChangefeedTest") });
  const metrics = async () => (await fetch(`${told.url}/metrics`)).text();
  const isOpen = (is: 0 | 1) => async () =>
    (await metrics()).includes(`nomad_changefeed_destination_circuit_open{destination="pager"} ${is}\n`);
  await until("the metrics say so", isOpen(1));
  for (const text of [list.stdout, shown.stdout, test.stdout, await metrics()])
    expect(text).not.toContain(WRONG);
  await told.start(file("KEY"));
  await until("PagerDuty has it", () => pagerDuty.events.length > 0);
  await until("nothing waits", async () => (await deliveries("list")).code === 0);
  await until("the metrics say so", isOpen(0));
});

it("deliveries test tells PagerDuty of an incident and of its end; pause keeps it from all others", async () => {
  await told.start(file("KEY"));
  const test = await deliveries("test", "pager");
  expect(test).toMatchObject({ code: 0, stdout: expect.stringMatching(/ ok {2}202 .*\n {2}request:/) });
  expect(test.stdout).not.toContain(KEY);
  expect(pagerDuty.events).toMatchObject([
    { event_action: "trigger", payload: { summary: "[nomad] This is a test of pager: nothing is wrong" } },
    { event_action: "resolve" },
  ]);
  pagerDuty.events.length = 0;
  expect((await deliveries("pause", "pager", "--reason", "they move")).stdout).toBe(
    "pager is paused: they move\n",
  );
  told.setNode(told.nodes[0], "down");
  await until("it waits", async () => (await deliveries("show", "pager")).stdout.includes("waiting       1"));
  expect(pagerDuty.events).toEqual([]);
  expect((await deliveries("resume", "pager")).code).toBe(0);
  await until("it is told", () => pagerDuty.events.length === 1);
});

it("deliveries say what cannot be done with a destination of alerts", async () => {
  await told.start(file("KEY"));
  for (const args of [
    ["replay", "pager", "--since", "1h"],
    ["dead-letters", "list", "pager"],
    ["dead-letters", "retry", "pager", "--all"],
    ["dead-letters", "drop", "pager", "--all"],
  ]) {
    const refused = await deliveries(...args);
    expect([args, refused]).toMatchObject([
      args,
      {
        code: 1,
        stderr: expect.stringContaining("hint: It can be shown, tested, paused and resumed") as string,
      },
    ]);
  }
  expect(await deliveries("show", "mail")).toMatchObject({ code: 1 });
});
