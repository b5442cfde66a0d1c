import { expect, test } from "vitest";
import { openAlertDestination } from "../../../src/publishers/alert-destinations.ts";
import { pagerDutySettingsSchema } from "../../../src/schemas/destinations/pagerduty.ts";
import { alertOf, endedAlert, messageOf } from "../../support/alert-messages.ts";
import { PagerDutySink } from "../../support/pagerduty-sink.ts";
import { alertDeps, alertDestinationContract, type AlertCounterpart } from "./register-alert-destination.ts";

const KEY = "0123456789abcdef0123456789ABCDEF";

alertDestinationContract("PagerDuty", async () => counterpartOf(await PagerDutySink.start(KEY)));

test("what fires is an incident as severe as the worst of it, and one message more of it changes no key", async () => {
  await using sink = await PagerDutySink.start(KEY);
  await using destination = await open(sink);
  const warning = alertOf({ rule: "JobFlapping", severity: "WARN" });
  const signal = AbortSignal.timeout(60_000);
  await destination.send(messageOf([warning]), signal);
  await destination.send(messageOf([warning, alertOf({ severity: "FATAL" })]), signal);
  await destination.send(messageOf([], { resolved: [endedAlert(warning)] }), signal);
  expect(sink.events).toMatchObject([
    {
      event_action: "trigger",
      payload: { severity: "warning", component: "web", group: "default", class: "JobFlapping" },
    },
    { event_action: "trigger", payload: { severity: "critical", class: "JobFailing" } },
    { event_action: "resolve" },
  ]);
});

test("the incident of a group is the same in whatever order its labels come", async () => {
  await using sink = await PagerDutySink.start(KEY);
  await using destination = await open(sink);
  const message = messageOf([alertOf()]);
  const labels = Object.fromEntries(Object.entries(message.group.labels).toReversed());
  expect(Object.keys(labels).length).toBeGreaterThan(1);
  for (const group of [message.group, { ...message.group, labels }])
    await destination.send({ ...message, group }, AbortSignal.timeout(60_000));
  const keys = sink.events.map((event) => event.dedup_key);
  expect(keys[1]).toBe(keys[0]);
});

function counterpartOf(sink: PagerDutySink): AlertCounterpart {
  return {
    open: (deps) => open(sink, deps),
    received: () =>
      sink.events.map((event) => ({
        thread: event.dedup_key,
        isOver: event.event_action === "resolve",
        text: JSON.stringify(event),
      })),
    refusals: [
      { name: "400", arrange: sink.refuse(400), outcome: "refused", why: "poison" },
      {
        name: "another key",
        arrange: sink.refuse(400, `{"errors":["Invalid routing key ${KEY}"]}`),
        outcome: "refused",
        why: "config",
      },
      { name: "413", arrange: sink.refuse(413), outcome: "refused", why: "too-large" },
      { name: "429", arrange: sink.refuse(429), outcome: "retry" },
      { name: "500", arrange: sink.refuse(500), outcome: "retry" },
    ],
    hang: () => sink.hang(),
    goAway: () => sink.leave(),
    comeBack: () => sink.comeBack(),
    secrets: [KEY],
    connections: () => sink.open(),
    [Symbol.asyncDispose]: () => sink[Symbol.asyncDispose](),
  };
}

function open(sink: PagerDutySink, deps = alertDeps()) {
  const settings = pagerDutySettingsSchema.parse({
    type: "pagerduty",
    routingKey: "env:KEY",
    url: `${sink.url}/v2/enqueue`,
    allowPrivate: true,
  });
  return openAlertDestination(settings, { ...deps, readSecret: () => KEY });
}
