import { afterEach, beforeEach, expect, it } from "vitest";
import { FOLD_DOCUMENT } from "../../src/publishers/alerting/fold-text.ts";
import { PartedText } from "../../src/publishers/alerting/parted-text.ts";
import { AlertRig, type Worker } from "../support/alert-rig.ts";
import { taskOf } from "../support/event-fixtures.ts";

const SECOND = 1000;

let rig: AlertRig;
let restarts = 0;
beforeEach(async () => {
  restarts = 0;
  rig = await AlertRig.open();
  rig.readAtMs = rig.clock.now();
  await rig.put("jobs", {});
  await rig.put("allocations", {});
});
afterEach(() => rig[Symbol.asyncDispose]());

/** A task restarts so many times, one event each. */
async function restart(times: number): Promise<void> {
  for (let count = 0; count < times; count += 1) {
    restarts += 1;
    const task = taskOf({ Restarts: restarts }, [["Restarting", restarts * 1000]]);
    await rig.put("allocations", { TaskStates: { nginx: task } });
  }
}

async function counted({ metrics }: Worker, name = "job_restarts_total"): Promise<Record<string, number>> {
  const text = await metrics.registry.getSingleMetricAsString(`nomad_changefeed_${name}`);
  const lines = text.split("\n").filter((line) => !line.startsWith("#"));
  return Object.fromEntries(
    lines.map((line) => {
      const [, labels = "", value] = /^nomad_changefeed_\w+\{(.*)\} (\S+)$/.exec(line) ?? [];
      return [labels, Number(value)];
    }),
  );
}
const OTHERS = 'namespace="",job_name="other",group="other"';
const WEB = 'namespace="default",job_name="web",group="frontend"';

async function end({ stop, ending }: Worker): Promise<void> {
  stop.abort();
  await rig.clock.finish(ending);
}

it("jobs are counted from 0 on, once each event", async () => {
  await restart(3);
  const worker = rig.begin();
  await rig.pass(2 * SECOND);
  expect(await counted(worker)).toEqual({ [OTHERS]: 0, [WEB]: 0 });
  await restart(2);
  await rig.pass(SECOND);
  expect(await counted(worker)).toEqual({ [OTHERS]: 0, [WEB]: 2 });
});

it("who goes on counts what happened meanwhile, and nothing twice, however the former one ended", async () => {
  const first = rig.begin();
  await rig.pass(2 * SECOND);
  await restart(2);
  await rig.pass(SECOND);
  await end(first);
  expect(await counted(first)).toEqual({});
  await restart(1);
  const second = rig.begin();
  await rig.pass(2 * SECOND);
  expect(await counted(second)).toEqual({ [OTHERS]: 0, [WEB]: 3 });
  // Since the last was saved.
  await restart(4);
  await rig.pass(SECOND);
  const third = rig.begin();
  await rig.pass(12 * SECOND);
  await restart(1);
  await rig.pass(SECOND);
  expect(await counted(third)).toEqual({ [OTHERS]: 0, [WEB]: 8 });
  expect(await counted(second)).toEqual({});
  await end(third);
  await restart(1);
  await rig.pass(20 * 60 * SECOND);
  const fourth = rig.begin();
  await rig.pass(2 * SECOND);
  expect(await counted(fourth)).toEqual({ [OTHERS]: 0, [WEB]: 9 });
});

it("where alerts begin anew from what there is, what happened before that is counted all the same", async () => {
  const first = rig.begin();
  await rig.pass(2 * SECOND);
  await restart(2);
  await rig.pass(SECOND);
  await end(first);
  const document = await PartedText.claim(FOLD_DOCUMENT, "the test", rig.feed.log.documents);
  const [cursor = "", alerts = "", jobs = ""] = (document.text ?? "").split("\n");
  const tooLarge = { ...(JSON.parse(alerts) as object), model: null };
  await document.save([cursor, JSON.stringify(tooLarge), jobs].join("\n"));
  await restart(1);
  rig.whileRead = () => restart(2);
  const second = rig.begin();
  await rig.pass(2 * SECOND);
  expect(await counted(second)).toEqual({ [OTHERS]: 0, [WEB]: 5 });
});

it("a log in which nobody counted begins at 0, and one in which nobody counts any more shows nothing", async () => {
  rig.metricsMaxJobs = 0;
  const first = rig.begin();
  await rig.pass(2 * SECOND);
  await restart(2);
  await rig.pass(SECOND);
  expect(await counted(first)).toEqual({});
  await end(first);
  rig.metricsMaxJobs = 10;
  await restart(1);
  const second = rig.begin();
  await rig.pass(2 * SECOND);
  expect(await counted(second)).toEqual({ [OTHERS]: 0, [WEB]: 0 });
  await restart(1);
  await rig.pass(SECOND);
  expect(await counted(second)).toEqual({ [OTHERS]: 0, [WEB]: 1 });
  await end(second);
  rig.metricsMaxJobs = 0;
  const third = rig.begin();
  await rig.pass(2 * SECOND);
  expect(await counted(third)).toEqual({});
});

it("durations of deployments are a histogram, and success a time that only batch jobs have", async () => {
  await rig.put("jobs", { ID: "nightly", Type: "batch" });
  const worker = rig.begin();
  await rig.pass(2 * SECOND);
  await rig.put("deployments", { Status: "running" });
  await rig.pass(45 * SECOND);
  await rig.put("deployments", { Status: "successful" });
  await rig.pass(SECOND);
  const web = 'namespace="default",job_name="web"';
  expect(await counted(worker, "job_deployments_total")).toMatchObject({
    [`${web},outcome="successful"`]: 1,
    [`${web},outcome="failed"`]: 0,
  });
  const name = "nomad_changefeed_job_deployment_duration_seconds";
  const text = await worker.metrics.registry.getSingleMetricAsString(name);
  const lines = text.split("\n").filter((line) => line.includes(web));
  expect(lines.slice(2, 4)).toEqual([
    `${name}_bucket{${web},le="60"} 1`,
    `${name}_bucket{${web},le="120"} 1`,
  ]);
  expect(lines[1]).toBe(`${name}_bucket{${web},le="30"} 0`);
  expect(lines.slice(-3)).toEqual([
    `${name}_bucket{${web},le="+Inf"} 1`,
    expect.stringMatching(/_sum\{.*\} 45(\.\d+)?$/),
    `${name}_count{${web}} 1`,
  ]);
  expect(await counted(worker, "job_last_success_timestamp_seconds")).toEqual({
    'namespace="default",job_name="nightly"': 0,
  });
});
