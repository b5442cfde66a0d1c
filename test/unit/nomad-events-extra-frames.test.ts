import { expect, it } from "vitest";
import { createFanout } from "../../src/publishers/fanout/fanout.ts";
import { ExtraFrames } from "../../src/publishers/nomad-events/extra-frames.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { draft } from "../support/drafts.ts";
import { TestFeed } from "../support/http-feed.ts";
import { TestClock } from "../support/test-clock.ts";

/** Of whatever happens to a job Nomad's stream tells itself. */
const OF_NO_INTEREST = { resource: "jobs", type: "nomad.job.updated" } as const;

it("keeps up with a feed that has nothing for it, so that after a restart it reads on from there", async () => {
  const clock = new TestClock();
  await using feed = await TestFeed.open({ clock });
  const base = { log: feed.log, clock, logger: silentLogger(), metrics: feed.metrics };
  let followed: string | undefined;
  const frames = {
    newest: 1,
    followed,
    appendExtra: (_frames: unknown, place: string) => void (followed = place),
    startAt: () => ({ after: 0, gaps: [] }),
    read: () => [],
  };
  const isRecording = () => true;
  const extra = new ExtraFrames({ ...base, ...createFanout(base), frames, isRecording, random: () => 0.5 });
  const stop = new AbortController();
  const running = extra.run(stop.signal);
  await clock.advance(10);
  for (const id of ["first", "second"]) {
    await feed.commit(draft({ id, ...OF_NO_INTEREST }));
    await clock.advance(11_000);
  }
  await feed.commit(draft({ id: "third", ...OF_NO_INTEREST }));
  await clock.advance(10);
  const { epoch, sequence } = await feed.log.head();
  expect(followed).toBe(`${epoch}-${sequence}`);
  stop.abort();
  await clock.finish(running);
});
