import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Simulator } from "../../packages/nomad-simulator/src/index.ts";
import { runCli, startCli, type RunningCli } from "../support/cli.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";
import { until } from "../support/until.ts";
import { watchCluster, type WatchedCluster } from "../support/watched-cluster.ts";

let watched: WatchedCluster;
let cluster: Simulator["cluster"];
const waiting: RunningCli[] = [];
beforeAll(async () => {
  watched = await watchCluster({ simulator: { allocations: 10 } });
  ({ cluster } = watched.simulator);
});
afterEach(async () => {
  for (const cli of waiting.splice(0)) {
    cli.interrupt();
    await cli.done;
  }
});
afterAll(() => watched.close());

function wait(...flags: string[]): RunningCli {
  const cli = startCli(["wait", ...flags, "--url", watched.bridge.url]);
  waiting.push(cli);
  return cli;
}

const saying = (cli: RunningCli, text: string) => until(`"${text}"`, () => cli.stdout.includes(text));

/** The deployment that runs for a job. */
function deploymentOf(job: string): string {
  const rows = [...cluster.state.tables.deployments.values()].filter(({ stub }) => stub.JobID === job);
  const newest = rows.toSorted((a, b) => a.stub.CreateIndex - b.stub.CreateIndex).at(-1);
  if (newest === undefined) throw new Error(`no deployment of ${job}`);
  return newest.key;
}

const DONE = { Status: "successful", StatusDescription: "Deployment completed successfully" } as const;
const FAILED = { Status: "failed", StatusDescription: "Failed due to unhealthy allocations" } as const;
const frontend = (count: number) => [{ name: "frontend", count, tasks: ["main"] }];

describe("wait deployment", () => {
  it("waits for the version that is named, registered before or after, with a line for each change", async () => {
    cluster.runJob({ id: "web", groups: frontend(2) });
    cluster.updateDeployment(deploymentOf("web"), DONE);
    const cli = wait("deployment", "web", "--job-version", "1");
    await saying(cli, "job web, version 1: running; frontend 0/");
    const placed = cluster.runJob({ id: "web", groups: frontend(2) });
    for (const [position, id] of placed.entries()) {
      await saying(cli, `of web, version 1: running; frontend ${position}/2; Deployment is running`);
      cluster.setAllocHealth(id, true);
    }
    expect(await cli.done).toBe(0);
    expect(cli.stdout).toMatch(
      /frontend 2\/2; [^\n]*\n\S+ reached: every group has its healthy allocations\n$/,
    );

    const complete = wait("deployment", deploymentOf("web").slice(0, 8), "--for", "complete");
    await saying(complete, "frontend 2/2");
    cluster.updateDeployment(deploymentOf("web"), DONE);
    expect(await complete.done).toBe(0);
    expect(complete.stdout).toContain("reached: Deployment completed successfully");
  });

  it("takes no older version for the one of an evaluation that is yet to be heard of", async () => {
    cluster.runJob({ id: "api" });
    cluster.updateDeployment(deploymentOf("api"), DONE);
    await watched.settled();
    const [placed = ""] = cluster.runJob({ id: "api" });
    const { EvalID } = cluster.state.tables.allocations.get("", placed)?.stub ?? { EvalID: "" };
    const cli = wait("deployment", "api", "--evaluation", EvalID.slice(0, 8));
    await saying(cli, "of api, version 1: running");
    cluster.updateDeployment(deploymentOf("api"), DONE);
    expect(await cli.done).toBe(0);
    expect(cli.stdout).not.toContain("version 0");
  });

  it("waits a little for a newer version where none is named", async () => {
    cluster.runJob({ id: "late" });
    cluster.updateDeployment(deploymentOf("late"), DONE);
    await watched.settled();
    const cli = wait("deployment", "late");
    await saying(cli, "of late, version 0: successful");
    cluster.runJob({ id: "late" });
    await saying(cli, "of late, version 1: running");
    cluster.updateDeployment(deploymentOf("late"), DONE);
    expect(await cli.done).toBe(0);
    expect(cli.stdout).toMatch(/version 1: successful[^\n]*\n[^\n]*reached/);
  });

  it("says why it failed, in Nomad's words, with what the allocations say", async () => {
    const [placed = ""] = cluster.runJob({ id: "bad" });
    const cli = wait("deployment", "bad", "--job-version", "0", "--json");
    await saying(cli, `"status":"running"`);
    cluster.failAllocation(placed, { exitCode: 3 });
    cluster.setAllocHealth(placed, false);
    await watched.settled();
    cluster.updateDeployment(deploymentOf("bad"), FAILED);
    expect(await cli.done).toBe(1);
    const lines = cli.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.at(-1)).toMatchObject({
      outcome: "failed",
      version: 0,
      deployment: deploymentOf("bad"),
      job: "bad",
    });
    expect(lines.at(-1)?.["why"]).toMatch(
      /^Failed due to unhealthy allocations; allocation \S+ \(web\) failed: main: .*3/,
    );
  });

  it("takes no rollback for what it waits for", async () => {
    cluster.runJob({ id: "back" });
    cluster.updateDeployment(deploymentOf("back"), DONE);
    cluster.runJob({ id: "back" });
    const failing = deploymentOf("back");
    const cli = wait("deployment", "back");
    await saying(cli, "of back, version 1: running");
    cluster.runJob({ id: "back" });
    await watched.settled();
    cluster.updateDeployment(failing, FAILED);
    cluster.updateDeployment(deploymentOf("back"), DONE);
    expect(await cli.done).toBe(1);
    expect(cli.stdout).toContain("failed: Failed due to unhealthy allocations");
  });

  it("waits for canaries that want a promotion, and fails where there are none", async () => {
    cluster.runJob({ id: "canary" });
    cluster.updateDeployment(deploymentOf("canary"), DONE);
    const without = wait("deployment", deploymentOf("canary"), "--for", "needs-promotion");
    expect(await without.done).toBe(1);
    expect(without.stdout).toContain("failed: no group has canaries");
    const [placed = ""] = cluster.runJob({ id: "canary", canaries: 1 });
    const cli = wait("deployment", "canary", "--job-version", "1", "--for", "needs-promotion");
    await saying(cli, "web 0/1; Deployment is running but requires manual promotion");
    cluster.setAllocHealth(placed, true);
    expect(await cli.done).toBe(0);
  });
});

describe("wait job", () => {
  it("waits until all allocations of a batch job are complete, and fails with those that failed", async () => {
    const [first = "", second = ""] = cluster.runJob({ id: "sums", type: "batch", groups: frontend(2) });
    const cli = wait("job", "sums", "--job-version", "0", "--for", "complete");
    await saying(cli, "frontend 0/2");
    cluster.completeAllocation(first);
    await saying(cli, "frontend 1/2");
    cluster.completeAllocation(second);
    expect(await cli.done).toBe(0);
    expect(cli.stdout).toContain("reached: all allocations are complete");

    const [good = "", bad = ""] = cluster.runJob({ id: "sums", type: "batch", groups: frontend(2) });
    const again = wait("job", "sums", "--job-version", "1", "--for", "complete");
    await saying(again, "version 1: running; frontend 0/2");
    cluster.completeAllocation(good);
    cluster.failAllocation(bad, { exitCode: 9 });
    expect(await again.done).toBe(1);
    expect(again.stdout).toMatch(
      /failed: 1 of 2 allocations failed, and nothing follows them; allocation .*9/,
    );
  });

  it("takes running allocations for enough where there are no deployments, and says what is stopped", async () => {
    cluster.runJob({ id: "agent", type: "system" });
    const cli = wait("job", "agent", "--job-version", "0");
    expect(await cli.done).toBe(0);
    expect(cli.stdout).toContain("reached: all allocations run");
    const none = wait("deployment", "agent");
    cluster.runJob({ id: "over", type: "system" });
    cluster.stopJob("default", "over");
    const stopped = wait("job", "over");
    expect(await none.done).toBe(1);
    expect(none.stdout).toContain("has no deployment, as it is a system job");
    expect(await stopped.done).toBe(1);
    expect(stopped.stdout).toContain("failed: job over was stopped");
  });

  it("goes on after a lost connection, missing nothing", async () => {
    await using proxy = await TcpProxy.to(Number(new URL(watched.bridge.url).port));
    cluster.runJob({ id: "far" });
    const cli = startCli([
      "wait",
      "job",
      "far",
      "--job-version",
      "0",
      "--url",
      `http://127.0.0.1:${proxy.port}`,
    ]);
    waiting.push(cli);
    await saying(cli, "version 0: running");
    proxy.cut();
    await until("word of it", () => cli.stderr.includes("trying again"));
    cluster.updateDeployment(deploymentOf("far"), DONE);
    proxy.mend();
    expect(await cli.done).toBe(0);
    expect(cli.stdout).toContain("reached: Deployment completed successfully");
  });

  it("ends with 124 when the time is over, and says where it stood", async () => {
    const cli = wait("job", "nobody", "--timeout", "1s");
    expect(await cli.done).toBe(124);
    expect(cli.stdout).toMatch(/job nobody: unknown; not known to the feed yet\n.*timeout: not within 1s\n$/);
    const nobody = await runCli(["wait", "job", "web", "--timeout", "1s", "--url", "http://127.0.0.1:1"]);
    expect(nobody.code).toBe(124);
    expect(nobody.stdout).toContain("timeout: not within 1s; the feed at http://127.0.0.1:1 does not answer");
  });

  it("refuses what runs nothing itself", async () => {
    cluster.registerJob({ id: "nightly", periodic: true });
    const cli = wait("job", "nightly");
    expect(await cli.done).toBe(2);
    expect(cli.stderr).toContain("nightly is periodic and runs nothing itself");
  });

  it.each([
    [["wait", "node", "a"], "allowed: deployment, job"],
    [["wait", "job", "a", "--for", "ready"], "allowed: healthy, needs-promotion, complete"],
    [["wait", "job", "a", "--job-version", "x"], "allowed: a whole number"],
    [["wait", "job", "a", "--timeout", "soon"], "such as 500ms"],
    [["wait", "deployment", "1a2b3c4d", "--job-version", "1"], "leave out --job-version"],
  ])("refuses %j", async (args, text) => {
    const { code, stderr } = await runCli(args);
    expect(code).toBe(2);
    expect(stderr).toContain(text);
  });
});
