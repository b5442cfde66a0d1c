import { describe, expect, test } from "vitest";
import { openAlertDestination } from "../../../src/publishers/alert-destinations.ts";
import { slackSettingsSchema } from "../../../src/schemas/destinations/slack.ts";
import type { AlertMessage } from "../../../src/publishers/alerting/alert-destination.ts";
import type { Json } from "../../../src/schemas/json.ts";
import { systemClock } from "../../../src/shared/clock.ts";
import { alertOf, endedAlert, messageOf } from "../../support/alert-messages.ts";
import { SlackSink } from "../../support/slack-sink.ts";
import { TestClock } from "../../support/test-clock.ts";
import { until } from "../../support/until.ts";
import { alertDeps, alertDestinationContract, type AlertCounterpart } from "./register-alert-destination.ts";

const TOKEN = "xoxb-0123456789-not-for-your-eyes";
const HOOK = "services/T0/B0/secret-of-the-hook";
const BOT = { token: "env:TOKEN", channel: "#oncall" };
/** Nobody rests between messages. */
const hasty = { ...systemClock, sleep: () => Promise.resolve() };

alertDestinationContract("Slack by a bot", async () => {
  const sink = await SlackSink.start(TOKEN);
  const said = (error: string) => sink.refuse(200, JSON.stringify({ ok: false, error }));
  return {
    ...counterpartOf(sink, BOT),
    refusals: [
      { name: "token", arrange: said("token_revoked"), outcome: "refused", why: "forbidden" },
      { name: "channel", arrange: said("channel_not_found"), outcome: "refused", why: "config" },
      { name: "blocks", arrange: said("invalid_blocks"), outcome: "refused", why: "poison" },
      { name: "trouble", arrange: said("internal_error"), outcome: "retry" },
      { name: "nonsense", arrange: sink.refuse(200), outcome: "retry" },
      { name: "429", arrange: sink.refuse(429), outcome: "retry" },
      { name: "503", arrange: sink.refuse(503), outcome: "retry" },
    ],
  };
});

alertDestinationContract(
  "Slack by an incoming webhook",
  async () => {
    const sink = await SlackSink.start(TOKEN);
    return {
      ...counterpartOf(sink, { webhook: "env:HOOK" }),
      refusals: [
        { name: "400", arrange: sink.refuse(400), outcome: "refused", why: "poison" },
        { name: "403", arrange: sink.refuse(403), outcome: "refused", why: "forbidden" },
        { name: "404", arrange: sink.refuse(404), outcome: "refused", why: "config" },
        { name: "410", arrange: sink.refuse(410), outcome: "refused", why: "gone" },
        { name: "429", arrange: sink.refuse(429), outcome: "retry" },
      ],
    };
  },
  { hasThreads: false },
);

describe("a bot", () => {
  const web = alertOf();
  const api = alertOf({
    labels: { ...web.labels, group: "api" },
    summary: "2 allocations of web/api failed",
  });

  test("keeps one message a group, tells in its thread what is new, and in the channel what fires on", async () => {
    await using sink = await SlackSink.start(TOKEN);
    const remembered = await tell(sink, [
      messageOf([web]),
      messageOf([web, api]),
      messageOf([web, api], { isRepeat: true }),
      messageOf([], { resolved: [endedAlert(web), endedAlert(api)] }),
    ]);
    // What begins after that is a message of its own.
    expect(remembered).toBeNull();
    const [first, ...replies] = sink.posts;
    expect(first).toMatchObject({ edits: 3, text: expect.stringContaining("Resolved") });
    expect(replies).toMatchObject([
      { isBroadcast: false, text: expect.stringContaining("🔴 2 allocations of web/api failed") },
      { isBroadcast: true, text: expect.stringContaining("Still firing") },
      { isBroadcast: false, text: expect.stringContaining("recovered after 27m30s") },
    ]);
  });

  test("mentions nobody and links nothing, whatever names hold", async () => {
    await using sink = await SlackSink.start(TOKEN);
    await tell(sink, [
      messageOf([alertOf({ summary: "<!channel> & <http://x|y>", details: { why: "http://z" } })]),
    ]);
    expect(sink.posts[0]?.text).toContain("&lt;!channel&gt; &amp; &lt;http://x|y&gt;");
    const { blocks } = JSON.parse(sink.posts[0]?.text ?? "") as { blocks: { text?: { text: string } }[] };
    const named = blocks.filter(({ text }) => text?.text.includes("http://") === true);
    expect(named).toMatchObject([{ text: { verbatim: true } }, { text: { verbatim: true } }]);
  });

  test("begins a new message where somebody deleted the first, and goes on with that", async () => {
    await using sink = await SlackSink.start(TOKEN);
    const remembered = await tell(sink, [messageOf([web])]);
    sink.posts.length = 0;
    await tell(sink, [messageOf([web, api]), messageOf([web])], remembered);
    expect(sink.posts).toMatchObject([{ edits: 1 }, { thread: sink.posts[0]?.ts }]);
  });

  test("waits as long as it is told to, and sends one message a second", async () => {
    await using sink = await SlackSink.start(TOKEN);
    const clock = new TestClock();
    await using destination = await open(sink, BOT, { ...alertDeps(), clock });
    sink.refuse(429, "", { "retry-after": "30" })();
    const signal = AbortSignal.timeout(60_000);
    expect(await destination.send(messageOf([web]), signal)).toMatchObject({
      outcome: "retry",
      afterMs: 30_000,
    });
    await sink.comeBack();
    const sent = destination.send(messageOf([web]), signal);
    await clock.advance(999);
    expect(sink.posts).toEqual([]);
    await clock.advance(1);
    expect(await sent).toMatchObject({ outcome: "ok" });
    const stop = new AbortController();
    const late = destination.send(messageOf([api]), stop.signal).catch((error: unknown) => error);
    stop.abort(new Error("stopping"));
    expect(await late).toBe(stop.signal.reason);
    await until("one message", () => sink.posts.length === 1);
  });
});

/** Sends one after the other with what is remembered of the former, which it returns. */
async function tell(sink: SlackSink, messages: readonly AlertMessage[], given: Json = null): Promise<Json> {
  await using destination = await open(sink, BOT, { ...alertDeps(), clock: hasty });
  let [remembered, known] = [given, {} as AlertMessage["group"]["told"]];
  for (const message of messages) {
    const group = { ...message.group, told: known };
    const result = await destination.send({ ...message, group, remembered }, AbortSignal.timeout(60_000));
    expect(result).toMatchObject({ outcome: "ok" });
    remembered = result.remember === undefined ? remembered : result.remember;
    known = Object.fromEntries(message.firing.map((alert) => [`${alert.id}@${alert.startsAt}`, alert]));
  }
  return remembered;
}

function counterpartOf(sink: SlackSink, settings: object): Omit<AlertCounterpart, "refusals"> {
  return {
    open: (deps) => open(sink, settings, { ...deps, clock: hasty }),
    received: () =>
      sink.posts.map(({ thread, text }) => ({
        thread,
        isOver: text.includes("Resolved") || text.includes("0 firing"),
        text,
      })),
    hang: () => sink.hang(),
    goAway: () => sink.leave(),
    comeBack: () => sink.comeBack(),
    secrets: [TOKEN, HOOK, "secret-of-the-hook"],
    connections: () => sink.open(),
    [Symbol.asyncDispose]: () => sink[Symbol.asyncDispose](),
  };
}

function open(sink: SlackSink, settings: object, deps: ReturnType<typeof alertDeps>) {
  const parsed = slackSettingsSchema.parse({
    type: "slack",
    ...settings,
    api: `${sink.url}/api`,
    allowPrivate: true,
  });
  const readSecret = (reference: string) => (reference === "env:HOOK" ? `${sink.url}/${HOOK}` : TOKEN);
  return openAlertDestination(parsed, { ...deps, readSecret });
}
