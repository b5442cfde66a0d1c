import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import type { AlertMessage } from "../../src/publishers/alerting/alert-destination.ts";
import { adviceFor } from "../../src/publishers/alerting/advice.ts";
import { storyOf } from "../../src/publishers/alerting/story.ts";
import { letterOf } from "../../src/publishers/email/letter.ts";
import { eventOf } from "../../src/publishers/pagerduty/event.ts";
import { messageOf as slackMessageOf } from "../../src/publishers/slack/blocks.ts";
import { alertDeps } from "../contract/alert-destinations/register-alert-destination.ts";
import { FORMS } from "../../src/publishers/alert-webhook/forms.ts";
import { notificationOf } from "../../src/publishers/alert-webhook/notification.ts";
import { BodyTemplate } from "../../src/publishers/webhook/template.ts";
import { buildChangeEvents } from "../../src/events/build.ts";
import { sealDraft } from "../../src/schemas/draft.ts";
import { AlertFeed, HOUR, MINUTE, SECOND } from "../support/alert-feed.ts";
import { alertOf, endedAlert, messageOf } from "../support/alert-messages.ts";
import { changeOf, contextOf, SAMPLES, taskOf } from "../support/event-fixtures.ts";

const deps = alertDeps();
const id = (number: number) => `5456bd7a-9fc0-c0dd-6131-${String(number).padStart(12, "0")}`;

test("docs/alerting-messages.md shows five alerts as people get them", () => {
  const file = new URL("../../docs/alerting-messages.md", import.meta.url);
  if (process.env["UPDATE_DOCS"] === "1") writeFileSync(file, page());
  expect(
    readFileSync(file, "utf8"),
    "Stale: run UPDATE_DOCS=1 npx vitest run test/unit/alert-messages.test.ts",
  ).toBe(page());
});

describe("a message", () => {
  test("is about the most severe of what fires, and tells of five at most", () => {
    const many = Array.from({ length: 9 }, (_, place) =>
      alertOf({ severity: place === 7 ? "FATAL" : "WARN", summary: `Alert ${place}` }),
    );
    const story = storyOf(messageOf(many), deps);
    expect(story).toMatchObject({ severity: "FATAL", headline: "[prod] Alert 7 (and 8 more)", more: 4 });
    expect(story.alerts).toHaveLength(5);
  });

  test("says why it ended, and after how long", () => {
    const story = storyOf(messageOf([], { resolved: [endedAlert(alertOf())] }), deps);
    expect(story).toMatchObject({ isOver: true, alerts: [{ end: "recovered after 27m30s", todo: [] }] });
  });
});

describe("a step of what to do", () => {
  test("holds the names of the alert, and the namespace where it is not the default", () => {
    const alert = alertOf({
      labels: { namespace: "pay", job: "web" },
      details: { version: "7", example: id(1) },
    });
    expect(adviceFor("Go back: `nomad job revert <job> <version>`.", alert)).toBe(
      "Go back: `NOMAD_NAMESPACE=pay nomad job revert web <version>`.",
    );
    expect(adviceFor("`nomad alloc logs -stderr <example>`", alertOf({ details: { example: id(1) } }))).toBe(
      `\`nomad alloc logs -stderr ${id(1)}\``,
    );
  });

  test("runs nothing but what it says, whoever named the job", () => {
    const alert = alertOf({ labels: { namespace: "default", job: "x'; rm -rf / #`id`\n$(id)" } });
    expect(adviceFor("`nomad job status <job>`", alert)).toBe(
      String.raw`${"`"}nomad job status 'x'\''; rm -rf / # id $(id)'${"`"}`,
    );
  });
});

test("the change event that the page shows is one that PagerDuty takes", () => {
  const { destinations } = parse(CHANGE_EVENTS) as {
    destinations: { deployments: { template: string; signals: string } };
  };
  const before = { ...SAMPLES.deployments, JobVersion: 7 };
  const change = changeOf("deployments", before, { ...before, Status: "successful" });
  const [draft] = buildChangeEvents(change, contextOf());
  if (draft === undefined) throw new Error("no event");
  expect(draft.signals).toEqual([destinations.deployments.signals]);
  const body = new BodyTemplate(destinations.deployments.template, "application/json").render(
    sealDraft(draft, "k3f9x2", 1),
  );
  expect(JSON.parse(body.toString())).toEqual({
    routing_key: "YOUR-INTEGRATION-KEY",
    payload: {
      summary: "Deployed web version 7",
      timestamp: expect.stringMatching(/^20/),
      source: expect.stringMatching(/^nomad:/),
      custom_details: { namespace: "default", deployment: "6df0c922-795b-2734-2f4b-64fe6959c6f3" },
    },
  });
});

interface Shown {
  readonly title: string;
  readonly message: AlertMessage;
}

function page(): string {
  return [
    HEAD,
    ...shown().flatMap(({ title, message }) => [`## ${title}`, ...formsOf(message)]),
    foot(),
  ].join("\n\n");
}

const HEAD = `# What alerts look like

Five alerts as they reach people, and the end of the first. This page is made by a test from the code that sends them:
the text of Slack's blocks, the event that PagerDuty gets, and the plain part of the mail. Times in Slack are in the
reader's own time zone.

PagerDuty and Slack are tested by the contracts they publish, not by their servers. Mail is tested with an SMTP server.`;

const foot = () => {
  const example = outOfMemory().firing.map((alert) => ({ ...alert, evidence: [] }));
  return `## Microsoft Teams, Discord, and anything

\`type: alert-webhook\` sends a notification as JSON, or what a Liquid template makes of it. Two templates come with the
program: \`form: teams\` for a workflow of Microsoft Teams, \`form: discord\` for a webhook of Discord. Where you want it
otherwise, take one of them as the beginning of your own \`template\`. What is put between quotes cannot leave them.

A notification, which templates call \`notification\`. \`told\` is what people read, five alerts at most; \`firing\` and
\`resolved\` are the alerts themselves, at most a hundred each, while \`counts\` counts them all:

${fenced("json", JSON.stringify(notificationOf(messageOf(example), deps), null, 2))}

The template of \`form: teams\`:

${fenced("liquid", FORMS.teams)}

The template of \`form: discord\`:

${fenced("liquid", FORMS.discord)}

## Who deployed before it broke

PagerDuty shows change events beside incidents. A webhook of events sends one for each deployment that succeeds. The key is a
secret: write the template into a file of its own that few may read, and name it as \`template: file:PATH\`.

${fenced("yaml", CHANGE_EVENTS)}

## Where they go

See [alerting](alerting.md) for how to configure destinations, and [alerts](alerts.md) for what each rule means.
`;
};

const CHANGE_EVENTS = `destinations:
  deployments:
    type: webhook
    url: https://events.pagerduty.com/v2/change/enqueue
    signals: deployment.succeeded
    template: |
      { "routing_key": "YOUR-INTEGRATION-KEY",
        "payload": {
          "summary": "Deployed {{ event.data.after.JobID }} version {{ event.data.after.JobVersion }}",
          "timestamp": "{{ event.time }}",
          "source": "{{ event.source }}",
          "custom_details": { "namespace": "{{ event.data.after.Namespace }}", "deployment": "{{ event.data.after.ID }}" } } }`;

function formsOf(message: AlertMessage): string[] {
  const story = storyOf(message, deps);
  const letter = letterOf(story);
  return [
    `### Slack`,
    fenced("text", slackText(slackMessageOf(story))),
    `### PagerDuty`,
    fenced("json", JSON.stringify(eventOf(message, deps), null, 2)),
    `### Mail`,
    fenced("text", `Subject: ${story.isOver ? "Re: " : ""}${letter.subject}\n\n${letter.text}`),
  ];
}

function fenced(language: string, text: string): string {
  return `\`\`\`${language}\n${text}\n\`\`\``;
}

/** The text of the blocks, with dates as a reader far away sees them. */
function slackText({ blocks }: ReturnType<typeof slackMessageOf>): string {
  const texts = JSON.stringify(blocks).matchAll(/"text":"((?:[^"\\]|\\.)*)"/g);
  return [...texts]
    .map(([, text]) => JSON.parse(`"${text}"`) as string)
    .join("\n\n")
    .replaceAll(/<!date\^[^|]+\|([^>]+)>/g, "$1")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");
}

function shown(): Shown[] {
  const rollout = failedRollout();
  const firing = rollout.firing;
  return [
    { title: "A rollout of 50 fails", message: messageOf(firing) },
    { title: "The same, ended", message: messageOf([], { resolved: endedRollout(rollout) }) },
    { title: "A node with 100 allocations dies", message: messageOf(deadNode().firing) },
    { title: "A task runs out of memory", message: messageOf(outOfMemory().firing) },
    { title: "Allocations find no place", message: messageOf(blocked().firing) },
    { title: "A deployment is stuck", message: messageOf(stuck().firing) },
  ];
}

function failedRollout(): AlertFeed {
  const feed = new AlertFeed().put("deployments", { Status: "running", JobVersion: 7 });
  for (let number = 0; number < 50; number++) {
    const exit = { exit_code: number < 48 ? "1" : "137", oom_killed: number < 48 ? "false" : "true" };
    const where = { NodeID: `n${number % 4}`, NodeName: `worker-${number % 4}` };
    const events = taskOf({ State: "dead", Failed: true }, [
      ["Terminated", 2_000, exit],
      ["Not Restarting", 3_000],
    ]);
    feed.put("allocations", { ID: id(number), JobVersion: 7, ...where }).pass(SECOND);
    feed.put("allocations", {
      ID: id(number),
      ClientStatus: "failed",
      TaskStates: { nginx: withWords(events) },
    });
  }
  return feed.put("deployments", {
    Status: "failed",
    StatusDescription: "Failed due to unhealthy allocations - rolling back to job version 6",
    JobVersion: 7,
    TaskGroups: { frontend: { DesiredTotal: 50, PlacedAllocs: 50, HealthyAllocs: 0, UnhealthyAllocs: 50 } },
  });
}

/** As Nomad says it. */
function withWords(task: object): object {
  const WORDS: Readonly<Record<string, string>> = {
    Terminated: 'Exit Code: 1, Exit Message: "Docker container exited with non-zero exit code: 1"',
    "Not Restarting": 'Exceeded allowed attempts 2 in interval 30m0s and mode is "fail"',
  };
  const { Events } = task as { Events: { Type: string }[] };
  return { ...task, Events: Events.map((event) => ({ ...event, DisplayMessage: WORDS[event.Type] })) };
}

function endedRollout(feed: AlertFeed) {
  const next = { ID: "7df0c922-795b-2734-2f4b-64fe6959c6f3", JobVersion: 8, CreateIndex: 900 };
  return feed.pass(12 * MINUTE).put("deployments", { ...next, Status: "successful" }).resolved;
}

function deadNode(): AlertFeed {
  const feed = new AlertFeed();
  for (let number = 0; number < 100; number++) feed.put("allocations", { ID: id(number) });
  feed.put("nodes", {}).pass(MINUTE).put("nodes", { Status: "down" });
  for (let number = 0; number < 100; number++)
    feed.put("allocations", { ID: id(number), ClientStatus: "lost", DesiredStatus: "stop" });
  return feed.pass(MINUTE);
}

function outOfMemory(): AlertFeed {
  const killed = taskOf({ Restarts: 1 }, [["Terminated", 5, { exit_code: "137", oom_killed: "true" }]]);
  const there = { Namespace: "payments", TaskStates: { nginx: taskOf() } };
  const feed = new AlertFeed().put("allocations", there);
  return feed.put("allocations", { ...there, TaskStates: { nginx: killed } }).pass(SECOND);
}

function blocked(): AlertFeed {
  return new AlertFeed().put("evaluations", BLOCKED).pass(2 * MINUTE);
}

const BLOCKED = {
  Status: "blocked",
  FailedTGAllocs: {
    frontend: {
      NodesEvaluated: 4,
      NodesFiltered: 1,
      NodesExhausted: 3,
      CoalescedFailures: 11,
      ConstraintFiltered: { "${attr.kernel.name} = windows": 1 },
      DimensionExhausted: { memory: 3 },
    },
  },
};

function stuck(): AlertFeed {
  const frontend = {
    DesiredCanaries: 0,
    DesiredTotal: 10,
    PlacedAllocs: 6,
    HealthyAllocs: 4,
    UnhealthyAllocs: 0,
    RequireProgressBy: "2026-11-29T03:10:00Z",
  };
  const StatusDescription = "Deployment is running";
  return new AlertFeed()
    .put("deployments", { Status: "running", JobVersion: 7, StatusDescription, TaskGroups: { frontend } })
    .pass(HOUR);
}
