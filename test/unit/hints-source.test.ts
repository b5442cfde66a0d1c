import { NomadError } from "../../src/nomad/errors.ts";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Hint } from "../../src/pollers/hints/hint.ts";
import { HintSource } from "../../src/pollers/hints/hint-source.ts";
import { subjectOf, type ResourceType } from "../../src/schemas/resources.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { recordingLogger } from "../support/recording-logger.ts";
import { ScriptedNomad } from "../support/scripted-nomad.ts";
import { streamError } from "../support/scripted-streams.ts";
import { allocationEvent, evaluationEvent, frame, jobEvent, nodeEvent } from "../support/stream-frames.ts";
import { TestClock } from "../support/test-clock.ts";

/** A source that follows streams as the test dictates them; it waits so much of what it may before each retry. */
function follow(jitter = 0.5) {
  const nomad = new ScriptedNomad();
  nomad.streams.allow();
  const clock = new TestClock();
  const { logger, lines } = recordingLogger();
  const metrics = createMetrics();
  const recorded: string[] = [];
  const source = new HintSource(
    { nomad, clock, random: () => jitter, logger, metrics },
    { record: (line) => void recorded.push(line.toString()) },
  );
  const stop = new AbortController();
  const running = source.run(stop.signal);
  onTestFinished(async () => {
    stop.abort();
    await running;
  });
  const value = async (name: string) =>
    (await metrics.registry.getSingleMetric(name)?.get())?.values.map(({ value: number }) => number).at(0);
  return { source, streams: nomad.streams, clock, lines, value, recorded };
}

/** What one scope is told, in words. */
function listen(source: HintSource, resource: ResourceType, namespace: string) {
  const told: string[] = [];
  const inWords = (hint: Hint) => `${subjectOf(hint)}${hint.gone === true ? " gone" : ""}`;
  const subscription = source.want(
    { resource, namespace },
    {
      onFrame: ({ index, hints }) => void told.push(`${index}: ${hints.map(inWords).join(", ")}`),
      onLive: () => void told.push("live"),
      onGap: (reason) => void told.push(`gap: ${reason}`),
    },
  );
  return { told, subscription };
}

/** One scope, live, that has heard a frame with index 10. */
async function hearing(jitter?: number) {
  const parts = follow(jitter);
  const jobs = listen(parts.source, "jobs", "default");
  await parts.clock.advance(0);
  parts.streams.last.send(frame(10, jobEvent("web")));
  await parts.clock.advance(0);
  expect(jobs.told.splice(0)).toEqual(["live", "10: jobs/default/web"]);
  return { ...parts, ...jobs };
}

/** The stream breaks, and the next is opened. */
async function broken() {
  const parts = await hearing();
  parts.streams.last.end();
  await parts.clock.advance(125);
  expect(parts.streams.opened).toHaveLength(2);
  return parts;
}

describe("hints", () => {
  it("come from a stream of all namespaces with the topics that concern the wanted resources", async () => {
    const { source, streams, clock } = follow();
    listen(source, "jobs", "default");
    listen(source, "nodes", "-");
    await clock.advance(0);
    expect(streams.requests).toMatchObject([
      { topics: ["Job", "Allocation", "Evaluation", "Node"], namespace: "*" },
    ]);
    expect(streams.requests[0]?.index).toBeUndefined();
  });

  it("reach the scopes that they concern, and tell others of a foreign index that it is explained", async () => {
    const { source, streams, clock } = follow();
    const here = listen(source, "jobs", "default");
    const there = listen(source, "jobs", "prod");
    const all = listen(source, "allocations", "*");
    const nodes = listen(source, "nodes", "-");
    await clock.advance(0);
    streams.last.send(
      frame(10, allocationEvent("a1", "web")),
      frame(11, nodeEvent("n1", { fields: { ModifyIndex: 11 } })),
    );
    await clock.advance(0);
    expect(here.told).toEqual(["live", "10: jobs/default/web"]);
    expect(there.told).toEqual(["live", "10: "]);
    expect(all.told).toEqual(["live", "10: allocations/default/a1"]);
    expect(nodes.told).toEqual(["live", "11: nodes/-/n1"]);
    expect(there.subscription.explains(10n)).toBe(true);
    expect(all.subscription.explains(11n)).toBe(false);
  });

  it("of a job that is gone reach what goes with it, whose index stays unexplained", async () => {
    const { source, streams, clock } = follow();
    const listeners = (["jobs", "allocations", "evaluations", "deployments"] as const).map((resource) =>
      listen(source, resource, "default"),
    );
    const elsewhere = listen(source, "allocations", "prod");
    await clock.advance(0);
    const gone = jobEvent("web", { type: "JobDeregistered", beside: { Deleted: true } });
    streams.last.send(frame(10, gone, evaluationEvent("e1", "web")));
    await clock.advance(0);
    expect(listeners.map(({ told }) => told[1])).toEqual([
      "10: jobs/default/web gone",
      "10: jobs/default/web gone",
      "10: jobs/default/web gone, evaluations/default/e1",
      "10: jobs/default/web gone",
    ]);
    expect(listeners.map(({ subscription }) => subscription.explains(10n))).toEqual([
      true,
      false,
      false,
      false,
    ]);
    expect(elsewhere.told).toEqual(["live"]);
  });

  it("end for a scope that wants none any more, and the stream with the last", async () => {
    const { source, streams, clock, told, subscription } = await hearing();
    expect(source.state).toEqual({ kind: "live" });
    subscription.end();
    await clock.advance(0);
    expect(streams.last.isClosed).toBe(true);
    expect(source.state).toEqual({ kind: "off" });
    expect(told).toEqual([]);
    expect(subscription.explains(10n)).toBe(false);
    listen(source, "jobs", "default");
    await clock.advance(0);
    expect(streams.opened).toHaveLength(2);
  });

  it("are not asked for where no topic concerns the resource", async () => {
    const { source, streams, clock } = follow();
    const { told } = listen(source, "namespaces", "-");
    await clock.advance(1_000);
    expect([streams.requests, told, source.state.kind]).toEqual([[], [], "off"]);
  });
});

describe("after a break", () => {
  it("nobody is told anything where the last frame comes again, which is heard and recorded once", async () => {
    const { streams, clock, told, subscription, recorded, value } = await broken();
    expect(streams.requests[1]?.index).toBe("10");
    streams.last.send(frame(10, jobEvent("web")), frame(10, jobEvent("api")), frame(11, jobEvent("web")));
    await clock.advance(60_000);
    expect(told).toEqual(["10: jobs/default/api", "11: jobs/default/web"]);
    expect(recorded.map((line) => JSON.parse(line) as object)).toHaveLength(3);
    expect(subscription.explains(10n)).toBe(true);
    expect(await value("nomad_changefeed_hint_losses_total")).toBe(0);
    expect(await value("nomad_changefeed_hint_reconnects_total")).toBe(1);
  });

  it("something may be lost where a later frame comes first", async () => {
    const { streams, clock, told, subscription, value } = await broken();
    streams.last.send(frame(12, jobEvent("api")));
    await clock.advance(0);
    expect(told).toEqual(["gap: the server goes on from index 12", "live", "12: jobs/default/api"]);
    expect(subscription.explains(10n)).toBe(false);
    expect(await value("nomad_changefeed_hint_losses_total")).toBe(1);
    await clock.advance(60_000);
    expect(told).toHaveLength(3);
  });

  it("something may be lost where the last frame does not come again within a second", async () => {
    const { clock, told } = await broken();
    await clock.advance(999);
    expect(told).toEqual([]);
    await clock.advance(1);
    expect(told).toEqual(["gap: the last frame heard did not come again", "live"]);
  });

  it("a server that is behind is waited for, and what it repeats is not heard again", async () => {
    const { streams, clock, told } = await broken();
    streams.last.send(frame(8, jobEvent("old")));
    await clock.advance(4_000);
    streams.last.send(frame(9, jobEvent("old")), frame(10, jobEvent("web")), frame(11, jobEvent("api")));
    await clock.advance(60_000);
    expect(told).toEqual(["11: jobs/default/api"]);
  });

  it("a server that stays behind, as after Raft began anew, is followed from where it is", async () => {
    const { streams, clock, told } = await broken();
    for (const index of [2, 3, 4, 5, 6]) {
      streams.last.send(frame(index, jobEvent("new")));
      await clock.advance(1_500);
    }
    expect(told).toEqual(["gap: the server stayed behind the one before", "live", "6: jobs/default/new"]);
  });

  it("where nothing was heard before, nothing proves that nothing was lost", async () => {
    const { source, streams, clock } = follow();
    const { told } = listen(source, "jobs", "default");
    await clock.advance(0);
    streams.last.end();
    await clock.advance(125);
    expect(streams.requests[1]?.index).toBeUndefined();
    expect(told).toEqual(["live", "gap: the stream before broke off before its first frame", "live"]);
  });

  it("that lasts, hints mean nothing from five seconds on, until the stream is back", async () => {
    const { source, streams, clock, told, lines } = await hearing();
    streams.refuse(() => "NOMAD_UNREACHABLE");
    streams.last.end();
    await clock.advance(4_999);
    expect(told).toEqual([]);
    await clock.advance(1);
    expect(told).toEqual(["gap: the stream: NOMAD_STREAM_ENDED"]);
    expect(source.state.kind).toBe("connecting");
    await clock.advance(20_000);
    streams.allow();
    await clock.advance(30_000);
    expect(source.state.kind).toBe("live");
    streams.last.send(frame(12, jobEvent("api")));
    await clock.advance(0);
    expect(told.slice(1)).toEqual(["live", "12: jobs/default/api"]);
    expect(lines).toEqual([
      "follows Nomad's event stream: reads what it names, one by one",
      "no event stream from Nomad, reads whole lists meanwhile: the stream: NOMAD_STREAM_ENDED",
      "no event stream from Nomad, reads whole lists meanwhile: the stream: NOMAD_UNREACHABLE",
      "follows Nomad's event stream: reads what it names, one by one",
    ]);
  });

  it("that lasts, after one that healed, is told once", async () => {
    const { streams, clock, told } = await broken();
    streams.last.send(frame(10, jobEvent("web")));
    await clock.advance(20_000);
    streams.refuse(() => "NOMAD_UNREACHABLE");
    streams.last.end();
    await clock.advance(20_000);
    streams.allow();
    await clock.advance(30_000);
    streams.last.send(frame(12, jobEvent("api")));
    await clock.advance(0);
    expect(told).toEqual(["gap: the stream: NOMAD_STREAM_ENDED", "live", "12: jobs/default/api"]);
  });

  it("again and again, retries take longer", async () => {
    const { streams, clock } = await hearing();
    streams.refuse(() => "NOMAD_UNREACHABLE");
    streams.last.end();
    const tries: number[] = [];
    for (let seen = 1; clock.elapsed() < 1_000_000 + 120_000; seen = streams.requests.length) {
      await clock.advance(125);
      if (streams.requests.length > seen) tries.push(clock.elapsed() - 1_000_000);
    }
    expect(tries.slice(0, 4)).toEqual([125, 375, 875, 1_875]);
    expect((tries.at(-1) ?? 0) - (tries.at(-2) ?? 0)).toBe(15_000);
  });
});

describe("within a stream something may be lost", () => {
  it.each([
    ["where a frame is too large", { bytes: 99 }, "a frame of 99 bytes was left out"],
    ["where a frame cannot be read", Buffer.from("{"), "a frame could not be read"],
  ])("%s", async (_when, line, reason) => {
    const { streams, clock, told, subscription } = await hearing();
    streams.last.sendLine(line);
    streams.last.send(frame(12, jobEvent("api")));
    await clock.advance(0);
    expect(told).toEqual([`gap: ${reason}`, "live", "12: jobs/default/api"]);
    expect(subscription.explains(10n)).toBe(false);
    expect(streams.opened).toHaveLength(1);
  });

  it("where its index goes back", async () => {
    const { streams, clock, told } = await hearing();
    streams.last.send(frame(4, jobEvent("api")), frame(5, jobEvent("api")));
    await clock.advance(0);
    expect(told).toEqual([
      "gap: the index went back to 4",
      "live",
      "4: jobs/default/api",
      "5: jobs/default/api",
    ]);
  });
});

describe("a scope that wants hints later", () => {
  it("hears what the stream has anyway, at once", async () => {
    const { source, streams, clock } = await hearing();
    const late = listen(source, "jobs", "default");
    expect(late.told).toEqual([]);
    await clock.advance(0);
    streams.last.send(frame(11, jobEvent("web")));
    await clock.advance(0);
    expect(late.told).toEqual(["live", "11: jobs/default/web"]);
    expect(late.subscription.explains(10n)).toBe(false);
    expect(streams.opened).toHaveLength(1);
  });

  it.each([
    ["of another topic", "deployments", "default"],
    ["in another namespace, which may be new", "jobs", "prod"],
  ] as const)(
    "%s makes the stream begin anew, without a gap for the others",
    async (_what, resource, namespace) => {
      const { source, streams, clock, told } = await hearing();
      const late = listen(source, resource, namespace);
      const later = listen(source, "deployments", namespace);
      await clock.advance(250);
      expect(streams.requests.map(({ index }) => index)).toEqual([undefined, "10"]);
      streams.last.send(frame(10, jobEvent("web")));
      await clock.advance(60_000);
      expect([late.told[0], later.told[0]]).toEqual(["live", "live"]);
      expect(told).toEqual([]);
      expect(streams.opened).toHaveLength(2);
      expect(streams.opened[0]?.isClosed).toBe(true);
    },
  );

  it("in a namespace that nobody wanted for a while makes it begin anew too: it may be another of that name", async () => {
    const { source, streams, clock } = await hearing();
    const { subscription } = listen(source, "jobs", "prod");
    await clock.advance(250);
    streams.last.send(frame(10, jobEvent("web")));
    await clock.advance(0);
    expect(streams.opened).toHaveLength(2);
    subscription.end();
    listen(source, "jobs", "prod");
    await clock.advance(250);
    expect(streams.opened).toHaveLength(3);
  });

  it("can have the stream begun anew, for namespaces that nobody names", async () => {
    const { source, streams, clock, told } = await hearing();
    source.renew();
    source.renew();
    await clock.advance(250);
    streams.last.send(frame(10, jobEvent("web")));
    await clock.advance(60_000);
    expect([streams.opened.length, told]).toEqual([2, []]);
  });
});

describe("where the token may not hear all namespaces", () => {
  const denyAll = ({ namespace }: { namespace: string }) =>
    namespace === "*" ? "NOMAD_STREAM_DENIED" : undefined;

  it("each that is wanted has a stream, which explains no index of another", async () => {
    const { source, streams, clock } = follow();
    streams.refuse(denyAll);
    const here = listen(source, "jobs", "default");
    const there = listen(source, "jobs", "prod");
    const nodes = listen(source, "nodes", "-");
    await clock.advance(0);
    expect(streams.opened.map(({ request }) => request.namespace)).toEqual(["default", "prod"]);
    expect(streams.opened.map(({ request }) => request.topics.includes("Node"))).toEqual([true, false]);
    streams.opened[0]?.send(frame(10, jobEvent("web")));
    await clock.advance(0);
    expect([here.told, there.told, nodes.told]).toEqual([
      ["live", "10: jobs/default/web"],
      ["live"],
      ["live"],
    ]);
    expect([here, there].map(({ subscription }) => subscription.explains(10n))).toEqual([true, false]);
    expect(source.state.kind).toBe("live");
  });

  it("one that is wanted later has one too", async () => {
    const { source, streams, clock } = follow();
    streams.refuse(denyAll);
    listen(source, "jobs", "default");
    await clock.advance(0);
    const late = listen(source, "jobs", "prod");
    await clock.advance(0);
    expect(streams.opened.map(({ request }) => request.namespace)).toEqual(["default", "default", "prod"]);
    expect(late.told).toEqual(["live"]);
  });

  it("one that is wanted again, as after it was gone, is told of again, and those that stayed are not", async () => {
    const { source, streams, clock, lines } = follow();
    streams.refuse(denyAll);
    listen(source, "jobs", "default");
    const news = async () => {
      await clock.advance(0);
      return lines.splice(0).length;
    };
    const gone = listen(source, "jobs", "prod");
    expect(await news()).toBe(2);
    gone.subscription.end();
    expect(await news()).toBe(0);
    listen(source, "jobs", "prod");
    expect(await news()).toBe(1);
    const opened = streams.opened.map(({ request }) => request.namespace);
    expect(opened).toEqual(["default", "prod", "default", "default", "prod"]);
  });

  it("soon hears all where a server that has just started refused everybody", async () => {
    const { source, streams, clock } = follow();
    streams.refuse(() => "NOMAD_FORBIDDEN");
    listen(source, "jobs", "default");
    await clock.advance(5_000);
    streams.allow();
    await clock.advance(10_000);
    expect(source.state.kind).toBe("live");
    expect(streams.last.request.namespace).toBe("*");
  });

  it("all are heard together as soon as it may", async () => {
    const { source, streams, clock } = follow();
    streams.refuse(denyAll);
    const { told } = listen(source, "jobs", "default");
    await clock.advance(0);
    streams.allow();
    await clock.advance(5 * 60_000);
    expect(streams.last.request.namespace).toBe("*");
    expect(streams.opened.filter(({ isClosed }) => !isClosed)).toHaveLength(1);
    expect(told).toEqual(["live", "gap: the event stream is followed in another way", "live"]);
  });

  it.each([
    ["a scope wants all of them", ["*"]],
    ["there are more than eight", ["a", "b", "c", "d", "e", "f", "g", "h", "i"]],
  ])(
    "there are no hints if %s, and it is tried again soon, then every five minutes",
    async (_what, namespaces) => {
      const { source, streams, clock, lines } = follow();
      streams.refuse(denyAll);
      for (const namespace of namespaces) listen(source, "jobs", namespace);
      await clock.advance(0);
      expect(source.state).toEqual({
        kind: "unavailable",
        reason: "Nomad refuses its event stream to the feed's token (NOMAD_STREAM_DENIED)",
      });
      expect(lines).toEqual([
        "no event stream from Nomad, reads whole lists meanwhile: the stream: NOMAD_STREAM_DENIED",
      ]);
      await clock.advance(15_000);
      expect(streams.requests).toHaveLength(2);
      streams.allow();
      await clock.advance(5 * 60_000 - 1);
      expect(streams.requests).toHaveLength(2);
      await clock.advance(1);
      expect(source.state.kind).toBe("live");
    },
  );
});

it("a Nomad without the stream is asked again soon, then every five minutes, and not complained of each time", async () => {
  const { source, streams, clock, lines } = follow();
  streams.refuse(() => "NOMAD_NOT_FOUND");
  const { told } = listen(source, "jobs", "default");
  await clock.advance(9 * 60_000);
  expect(streams.requests).toHaveLength(3);
  expect([source.state.kind, told, lines.length]).toEqual(["unavailable", [], 1]);
});

it("a stream that is refused once more, after it was heard again, is asked for again soon, too", async () => {
  const { source, streams, clock } = follow();
  listen(source, "jobs", "*");
  streams.refuse(() => "NOMAD_STREAM_DENIED");
  await clock.advance(0);
  streams.allow();
  await clock.advance(15_000);
  expect(source.state.kind).toBe("live");
  streams.refuse(() => "NOMAD_STREAM_DENIED");
  streams.last.end();
  await clock.advance(20_000);
  expect(source.state.kind).toBe("unavailable");
  streams.allow();
  await clock.advance(15_000);
  expect(source.state.kind).toBe("live");
});

it("a stream that was there is not given up for what a stopping server says", async () => {
  const { source, streams, clock, told } = await hearing();
  streams.refuse(() => "NOMAD_STREAM_DENIED");
  streams.last.end(streamError("NOMAD_UNREACHABLE"));
  await clock.advance(125 + 250);
  streams.allow();
  await clock.advance(1_000);
  streams.last.send(frame(10, jobEvent("web")));
  await clock.advance(60_000);
  expect([source.state.kind, told]).toEqual(["live", []]);
  expect(streams.requests.every(({ namespace }) => namespace === "*")).toBe(true);
});

it("nor for what it says when it starts, after it was away for long", async () => {
  const { source, streams, clock } = await hearing(0.05);
  streams.refuse(() => "NOMAD_STREAM_DENIED");
  streams.last.end(streamError("NOMAD_UNREACHABLE"));
  await clock.advance(500);
  streams.refuse(() => "NOMAD_UNREACHABLE");
  await clock.advance(20_000);
  streams.refuse(() => "NOMAD_STREAM_DENIED");
  await clock.advance(5_000);
  streams.allow();
  await clock.advance(10_000);
  expect(source.state.kind).toBe("live");
});

it("a proxy that asks for a day of patience is asked again after a minute", async () => {
  const { source, streams, clock } = follow();
  listen(source, "jobs", "default");
  await clock.advance(0);
  const options = { retryable: true, hint: "", status: 503, retryAfterMs: 86_400_000 };
  streams.last.end(new NomadError("NOMAD_SERVER_ERROR", "503", options));
  await clock.advance(90_000);
  expect(source.state.kind).toBe("live");
});
