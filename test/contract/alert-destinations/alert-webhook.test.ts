import { Webhook } from "standardwebhooks";
import { expect, test } from "vitest";
import { z } from "zod";
import { openAlertDestination } from "../../../src/publishers/alert-destinations.ts";
import { alertWebhookSettingsSchema } from "../../../src/schemas/destinations/alert-webhook.ts";
import { alertOf, endedAlert, messageOf } from "../../support/alert-messages.ts";
import { status, WebhookSink } from "../../support/webhook-sink.ts";
import { alertDeps, alertDestinationContract, type AlertCounterpart } from "./register-alert-destination.ts";

const KEY = "C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const BEHIND: Readonly<Record<string, string>> = {
  "env:SECRET": `whsec_${KEY}`,
  "env:TOKEN": "Bearer 0b31a77e-not-for-your-eyes",
};
const SIGNED = { secrets: "env:SECRET", headers: { Authorization: "env:TOKEN" } };
const signal = AbortSignal.timeout(120_000);

alertDestinationContract("a webhook", async () => counterpartOf(await WebhookSink.start()));

const run = z.strictObject({
  type: z.literal("TextRun"),
  text: z.string().min(1),
  weight: z.enum(["Bolder"]).optional(),
  size: z.enum(["Small", "Medium"]).optional(),
  color: z.enum(["Good", "Warning", "Accent", "Attention"]).optional(),
  isSubtle: z.boolean().optional(),
});
/** As the documentation of each says. */
const CONTRACTS = {
  teams: z.object({
    type: z.literal("message"),
    attachments: z.tuple([
      z.object({
        contentType: z.literal("application/vnd.microsoft.card.adaptive"),
        content: z.object({
          type: z.literal("AdaptiveCard"),
          version: z.literal("1.4"),
          body: z
            .array(
              z.strictObject({
                type: z.literal("RichTextBlock"),
                spacing: z.enum(["Small"]).optional(),
                inlines: z.array(run).min(1),
              }),
            )
            .min(1),
          actions: z.array(z.object({ type: z.literal("Action.OpenUrl"), url: z.url() })).optional(),
        }),
      }),
    ]),
  }),
  discord: z.strictObject({
    username: z.string().max(80),
    allowed_mentions: z.strictObject({ parse: z.array(z.string()).length(0) }),
    embeds: z.tuple([
      z.strictObject({
        title: z.string().min(1).max(256),
        url: z.url().optional(),
        color: z.int().max(0xffffff),
        description: z.string().min(1).max(4096),
      }),
    ]),
  }),
};

test.each(["teams", "discord"] as const)("of %s gets what it takes, whatever names hold", async (form) => {
  await using sink = await WebhookSink.start();
  await using destination = await open(sink, { form });
  const odd = alertOf({
    summary: 'a "quoted" \\ {{ x }} @everyone \u{1f600}',
    details: { lastEvents: "y\n".repeat(20_000) },
  });
  const many = Array.from({ length: 50 }, (_, place) => alertOf({ summary: `${place} ${"x".repeat(400)}` }));
  for (const message of [messageOf([odd]), messageOf(many), messageOf([], { resolved: [endedAlert(odd)] })])
    expect(await destination.send(message, signal)).toMatchObject({ outcome: "ok" });
  const bodies = sink.taken.map(({ body }) => body.toString());
  for (const body of bodies) CONTRACTS[form].parse(JSON.parse(body));
  expect(bodies[0]).toContain(String.raw`a \"quoted\" \\ {{ x }} @everyone`);
  expect(bodies[2]).toContain("Resolved: ");
});

test("of Discord makes no link of what a name holds", async () => {
  await using sink = await WebhookSink.start();
  await using destination = await open(sink, { form: "discord" });
  await destination.send(
    messageOf([alertOf({ summary: "[sign in](http://x)", details: { why: "[y](z)" } })]),
    signal,
  );
  const { title, description } = CONTRACTS.discord.parse(JSON.parse(sink.taken[0]?.body.toString() ?? ""))
    .embeds[0];
  expect(title).toContain(String.raw`[sign in]\(http://x)`);
  expect(description).toContain(String.raw`[y]\(z)`);
  expect(title + description).not.toContain("](");
});

test("of anything gets what a template makes of the notification", async () => {
  await using sink = await WebhookSink.start();
  const template =
    "{{ notification.state }} {{ notification.group.job }}: {% for alert in notification.firing %}{{ alert.rule }} {{ alert.count }}{% endfor %}";
  await using destination = await open(sink, { template, contentType: "text/plain" });
  await destination.send(messageOf([alertOf()]), signal);
  expect(sink.taken.map(({ body }) => body.toString())).toEqual(["firing web: JobFailing 3"]);
});

test("is told how many alerts there are, of which it gets a hundred", async () => {
  await using sink = await WebhookSink.start();
  await using destination = await open(sink, {});
  const many = Array.from({ length: 150 }, (_, place) => alertOf({ id: `JobFailing,${place}` }));
  await destination.send(messageOf(many), signal);
  const sent = JSON.parse(sink.taken[0]?.body.toString() ?? "") as { counts: object; firing: unknown[] };
  expect(sent).toMatchObject({ counts: { firing: 150, resolved: 0 } });
  expect(sent.firing).toHaveLength(100);
});

test("that repeats its secret without the prefix has it hidden", async () => {
  await using sink = await WebhookSink.start();
  await using destination = await open(sink, SIGNED);
  sink.answer = status(400, {}, `signed with ${KEY}`);
  const result = await destination.send(messageOf([alertOf()]), signal);
  expect(result).toMatchObject({ outcome: "refused", exchange: { answer: "signed with [hidden]" } });
});

function counterpartOf(sink: WebhookSink): AlertCounterpart {
  const held: (() => void)[] = [];
  const refuse = (code: number) => () => {
    sink.answer = (response, request) => status(code, {}, JSON.stringify(request))(response, request);
  };
  refuse(200)();
  return {
    open: (deps) => open(sink, SIGNED, deps),
    received: () =>
      sink.taken.map(({ headers, body }) => {
        new Webhook(BEHIND["env:SECRET"] ?? "").verify(body, headers as Record<string, string>);
        const notification = JSON.parse(body.toString()) as { state: string; group: object };
        return {
          thread: JSON.stringify(notification.group),
          isOver: notification.state === "resolved",
          text: body.toString(),
        };
      }),
    refusals: [
      { name: "400", arrange: refuse(400), outcome: "refused", why: "poison" },
      { name: "401", arrange: refuse(401), outcome: "refused", why: "forbidden" },
      { name: "404", arrange: refuse(404), outcome: "refused", why: "config" },
      { name: "410", arrange: refuse(410), outcome: "refused", why: "gone" },
      { name: "429", arrange: refuse(429), outcome: "retry" },
      { name: "500", arrange: refuse(500), outcome: "retry" },
    ],
    hang: () => {
      sink.answer = (response) => void held.push(() => response.writeHead(500).end());
    },
    goAway: () => sink.leave(),
    comeBack: async () => {
      refuse(200)();
      for (const answer of held.splice(0)) answer();
      await sink.comeBack();
    },
    secrets: [...Object.values(BEHIND), KEY, "0b31a77e-not-for-your-eyes"],
    connections: () => sink.open(),
    [Symbol.asyncDispose]: () => sink[Symbol.asyncDispose](),
  };
}

function open(sink: WebhookSink, given: object, deps = alertDeps()) {
  const settings = alertWebhookSettingsSchema.parse({
    type: "alert-webhook",
    url: `${sink.url}/hook`,
    allowPrivate: true,
    ...given,
  });
  return openAlertDestination(settings, { ...deps, readSecret: (reference) => BEHIND[reference] ?? "" });
}
