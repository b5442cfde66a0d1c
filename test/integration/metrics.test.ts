import { spawnSync } from "node:child_process";
import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { assignmentsSchema } from "../../src/schemas/assignment-schema.ts";
import { TestFeed } from "../support/http-feed.ts";
import { METRIC_EXAMPLES } from "../support/metric-examples.ts";
import { until } from "../support/until.ts";
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
      const { assignments } = assignmentsSchema.parse(
        await (await fetch(`${cluster.bridge.url}/v1/assignments`)).json(),
      );
      const text = await (await fetch(`${cluster.bridge.url}/metrics`)).text();
      expect(text).toContain(`\nnomad_changefeed_assignments_held ${assignments.length}\n`);
      expect(text).toContain("\nnomad_changefeed_workers_alive 1\n");
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

it.skipIf(missing !== undefined)(
  `of jobs answer what people ask, by the queries of their page${missing === undefined ? "" : `: ${missing}`}`,
  async () => {
    await using directory = await mkdtempDisposable(join(tmpdir(), "ncf-promql-"));
    const path = join(directory.path, "test.yaml");
    const tests = METRIC_EXAMPLES.map(({ what, query, given, finds }) => ({
      name: what,
      interval: "1m",
      input_series: Object.entries(given).map(([series, values]) => ({ series, values })),
      promql_expr_test: [
        {
          expr: `group by (job_name) (${query})`,
          eval_time: "2h",
          exp_samples: finds.map((job) => ({ labels: `{job_name="${job}"}`, value: 1 })),
        },
      ],
    }));
    await writeFile(path, JSON.stringify({ tests }));
    const { status, stdout, stderr } = spawnSync("promtool", ["test", "rules", path], { encoding: "utf8" });
    expect({ status, said: stdout + stderr }).toMatchObject({ status: 0 });
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

it("say how far the slowest subscriber of a format is behind the log's end, until it has caught up", async () => {
  await using feed = await TestFeed.open();
  const { url } = await feed.serve();
  const lags = async () => {
    const text = await (await fetch(`${url}/metrics`)).text();
    return Object.fromEntries(
      [...text.matchAll(/^nomad_changefeed_subscriber_lag_events\{format="(\w+)"\} (\d+)$/gm)].map(
        ([, format, lag]) => [format, Number(lag)],
      ),
    );
  };
  const subscribe = (accept: string) => {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    socket.write(`GET /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: ${accept}\r\n\r\n`);
    return socket;
  };
  const [stalled, quick] = [
    subscribe("application/x-ndjson").pause(),
    subscribe("text/event-stream").resume(),
  ];
  await until("both are subscribed", async () => Object.keys(await lags()).length === 2);
  // More than the kernel keeps for a socket.
  await feed.commitMany("a", 1200, 16 * 1024);
  await until("one has all", async () => (await lags())["sse"] === 0);
  expect((await lags())["ndjson"]).toBeGreaterThan(100);
  stalled.resume();
  await until("the other has all too", async () => (await lags())["ndjson"] === 0);
  stalled.destroy();
  await until("it is gone", async () => !("ndjson" in (await lags())));
  quick.destroy();
});
