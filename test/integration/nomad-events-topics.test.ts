import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { Agent, createServer, get, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { FrameLog } from "../../src/feed/frames/frame-log.ts";
import { denialFormOf } from "../../src/http/nomad-events/denial.ts";
import { RecentVerdicts } from "../../src/http/nomad-events/recent-verdicts.ts";
import { NomadEventsServer } from "../../src/http/nomad-events/server.ts";
import { FrameFeed } from "../../src/publishers/nomad-events/frame-feed.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { RawEventStream } from "../support/raw-event-stream.ts";
import { TestClock } from "../support/test-clock.ts";
import { until } from "../support/until.ts";

it("ends a stream whose topics are not all recorded any more, so that it is asked for anew", async () => {
  const folder = await mkdtemp(join(tmpdir(), "ncf-topics-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const nomad = createServer((_, response) => response.end("{}\n")).listen(0, "127.0.0.1");
  onTestFinished(() => void nomad.close());
  await once(nomad, "listening");
  const url = new URL(`http://127.0.0.1:${(nomad.address() as AddressInfo).port}`);
  const target = {
    url,
    display: url.href,
    agent: new Agent(),
    socketPath: undefined,
    authorization: undefined,
    secure: false,
    skipVerify: false,
  };
  const clock = new TestClock();
  const frames = FrameLog.open({ path: join(folder, "frames.db"), maxBytes: 1e9, maxAgeMs: 1e9 }, clock);
  onTestFinished(() => frames[Symbol.dispose]());
  const feed = new FrameFeed(frames);
  onTestFinished(() => feed[Symbol.dispose]());
  let recorded = ["Job", "Node"];
  const server = new NomadEventsServer(
    {
      upstream: {
        target,
        failed: () => undefined,
        get: async (path, headers, signal) => {
          const [answer] = await once(get(new URL(path, url), { headers, signal }), "response");
          return answer as IncomingMessage;
        },
      },
      rightsOf: async () => ({ kind: "acls-off" }),
      frames,
      feed,
      replay: "buffer",
      extra: "off",
      denials: denialFormOf(undefined),
      recent: new RecentVerdicts(clock),
      covers: async (topics) => [...topics].every((topic) => recorded.includes(topic)),
      logger: silentLogger(),
      metrics: createMetrics(),
      clock,
    },
    { host: "127.0.0.1", port: 0 },
  );
  onTestFinished(() => server[Symbol.asyncDispose]());
  const address = await server.listen();
  const open = async (topic: string) => {
    const stream = await RawEventStream.open(address, `topic=${topic}`, {});
    onTestFinished(() => stream[Symbol.dispose]());
    return stream;
  };
  const [jobs, nodes] = [await open("Job"), await open("Node")];
  recorded = ["Job"];
  await clock.advance(10_000);
  await until("it ends", () => nodes.hasEnded);
  expect(jobs.hasEnded).toBe(false);
});
