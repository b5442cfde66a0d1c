import { expect, test } from "vitest";
import { Notifier, type NotifierDeps } from "../../src/publishers/alerting/notifier.ts";
import type { ToldGroups } from "../../src/publishers/alerting/told-groups.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { heapBytes } from "../support/heap-bytes.ts";
import { TestClock } from "../support/test-clock.ts";

test("who tells people of alerts holds nothing of the looks that found nothing to tell", async () => {
  const clock = new TestClock();
  const deps = { clock, logger: silentLogger(), silences: async () => [] };
  const notifier = new Notifier(deps as unknown as NotifierDeps);
  notifier.configure([], []);
  const stop = new AbortController();
  const groups = { groups: [], remembered: new Map() } as unknown as ToldGroups;
  const running = notifier.run(groups, stop.signal);
  notifier.tell({ open: [], ended: [] });
  await clock.advance(1_000_000);
  const before = await heapBytes();
  const looks = 20_000;
  await clock.advance(looks * 1000);
  expect(((await heapBytes()) - before) / looks).toBeLessThan(200);
  stop.abort();
  await clock.finish(running);
});
