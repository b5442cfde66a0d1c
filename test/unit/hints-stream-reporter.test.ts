import { expect, it } from "vitest";
import { StreamReporter } from "../../src/pollers/hints/stream-reporter.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { heapBytes } from "../support/heap-bytes.ts";
import { streamError } from "../support/scripted-streams.ts";
import { TestClock } from "../support/test-clock.ts";

it("who says that streams come and go holds nothing of namespaces that are no more", async () => {
  const clock = new TestClock();
  const reporter = new StreamReporter(silentLogger(), clock);
  const comeAndGo = (from: number, to: number): void => {
    for (let number = from; number < to; number++) {
      const namespace = `namespace-${String(number).padStart(50, "0")}`;
      reporter.follows(["*", namespace]);
      reporter.away(namespace, streamError("NOMAD_UNREACHABLE"), 1000);
      reporter.live(namespace, "http://nomad");
      clock.pass(60_000);
    }
  };
  comeAndGo(0, 1000);
  const before = await heapBytes();
  const namespaces = 20_000;
  comeAndGo(1000, 1000 + namespaces);
  expect(((await heapBytes()) - before) / namespaces).toBeLessThan(50);
});
