import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { TestFeed } from "../support/http-feed.ts";
import { watchCluster } from "../support/watched-cluster.ts";

const missing =
  spawnSync("promtool", ["--version"]).error === undefined
    ? undefined
    : "no promtool here (Debian: apt-get install prometheus)";

it("of the process have the names that all programs use, ours the name of the product", () => {
  const names = createMetrics()
    .registry.getMetricsAsArray()
    .map(({ name }) => name);
  for (const name of [
    "process_resident_memory_bytes",
    "process_cpu_seconds_total",
    "nodejs_eventloop_lag_seconds",
  ]) {
    expect(names).toContain(name);
  }
  expect(names.filter((name) => !/^(process|nodejs|nomad_changefeed)_/.test(name))).toEqual([]);
});

it.skipIf(missing !== undefined)(
  `are what Prometheus' own tool asks for${missing === undefined ? "" : `: ${missing}`}`,
  async () => {
    const cluster = await watchCluster();
    try {
      const text = await (await fetch(`${cluster.bridge.url}/metrics`)).text();
      expect(text).toMatch(/^nomad_changefeed_build_info\{version="\d+\.\d+\.\d+"\} 1$/m);
      const { status, stdout, stderr } = spawnSync("promtool", ["check", "metrics"], {
        input: text,
        encoding: "utf8",
      });
      expect({ status, said: stdout + stderr }).toEqual({ status: 0, said: "" });
    } finally {
      await cluster.close();
    }
  },
);

it("say how large the log is and how far behind each named consumer, as it is when they are asked for", async () => {
  await using feed = await TestFeed.open();
  const { url } = await feed.serve();
  const metrics = async () => (await fetch(`${url}/metrics`)).text();
  await feed.commitMany("a", 10);
  const post = (path: string) => fetch(`${url}${path}`, { method: "POST" });
  const epoch = (await feed.log.head()).epoch;
  expect((await post(`/v1/consumers/pager?ack=${epoch}-4`)).status).toBe(200);
  const text = await metrics();
  expect(text).toContain('nomad_changefeed_consumer_lag_events{consumer="pager"} 6');
  expect(text).toContain("nomad_changefeed_log_sequence 10");
  expect(text).toContain(`nomad_changefeed_log_bytes ${await feed.log.bytes()}`);

  await feed.log.trim({ maxEvents: 2 });
  const later = await metrics();
  expect(later).toContain('nomad_changefeed_consumer_lag_events{consumer="pager"} 2');
  expect(later).toContain("nomad_changefeed_log_floor 8");
  await fetch(`${url}/v1/consumers/pager`, { method: "DELETE" });
  expect(await metrics()).not.toContain('consumer="pager"');
});
