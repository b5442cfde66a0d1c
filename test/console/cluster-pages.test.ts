import { beforeAll, expect, it } from "vitest";
import type { ConsoleBed } from "../support/console/bed.ts";
import { describeConsole } from "../support/console/console-test.ts";
import { until } from "../support/until.ts";

describeConsole("the pages of the state, of deployments and of the cluster", ({ open, startBed }) => {
  let bed: ConsoleBed;
  let allocation = "";

  beforeAll(async () => {
    bed = await startBed();
    [allocation = ""] = bed.simulator.cluster.runJob({
      id: "shop",
      groups: [{ name: "web", count: 1, tasks: ["main"] }],
    });
  });

  it("the table of allocations changes as they do, and so does what a filter lets in", async () => {
    const filter = encodeURIComponent('JobID == "shop" and ClientStatus == "running"');
    const { page } = await open(bed, '#/state/allocations?filter=JobID == "shop"');
    const { page: filtered } = await open(bed, `#/state/allocations?filter=${filter}`);
    const id = allocation.slice(0, 8);
    const row = page.getByRole("table", { name: "Allocations" }).getByRole("row").filter({ hasText: id });
    const running = filtered.getByRole("row").filter({ hasText: id });
    await row.getByText("running", { exact: true }).waitFor();
    await running.waitFor();
    const { at } = await stateBefore(() => bed.simulator.cluster.failAllocation(allocation, { exitCode: 2 }));
    await row.getByText("failed", { exact: true }).waitFor();
    await running.waitFor({ state: "detached" });
    expect(await filtered.getByRole("row").count()).toBe(1);

    await page.goto(`${bed.url}/#/state/allocations?filter=JobID == "shop"&at=${encodeURIComponent(at)}`);
    await page.getByText("what is shown is how it was then").waitFor();
    await row.getByText("running", { exact: true }).waitFor();
    await page.keyboard.press("n");
    await row.getByText("failed", { exact: true }).waitFor();
  });

  /** Does it, and answers the cursor before. */
  async function stateBefore(act: () => unknown): Promise<{ at: string }> {
    const about = (await (await fetch(`${bed.url}/v1/about`)).json()) as { feed: { head: string } };
    act();
    return { at: about.feed.head };
  }

  it("a table is sorted by its headers, and a row is chosen and opened by keys", async () => {
    const { page } = await open(bed, "#/state/jobs");
    const header = page.getByRole("columnheader", { name: "Job" });
    await header.getByRole("button").click();
    await until("it is sorted", async () => (await header.getAttribute("aria-sort")) === "ascending");
    expect(new URL(page.url()).hash).toContain("sort=name");
    const rows = page.getByRole("table", { name: "Jobs" }).getByRole("row");
    const names = await until("there are rows", async () => {
      const texts = await rows.getByRole("link").allInnerTexts();
      return texts.length > 3 && texts.map((text) => text.replace("job ", ""));
    });
    expect(names).toEqual(names.toSorted());
    await page.keyboard.press("j");
    await page.keyboard.press("Enter");
    await until("the job is open", async () => new URL(page.url()).hash.startsWith("#/object/jobs/"));
  });

  it("the steps of a rollout stay where they are when it ends, and its end is one more", async () => {
    const { cluster } = bed.simulator;
    cluster.runJob({ id: "rolling", groups: [{ name: "web", count: 2, tasks: ["main"] }] });
    const deployment = await until("its deployment", async () => {
      const url = `${bed.url}/v1/history?job=rolling&signal=deployment.started`;
      const [event] = (await (await fetch(url)).json()) as { subject: string }[];
      return event?.subject;
    });
    const { page } = await open(bed, `#/${deployment}`);
    const steps = page.getByRole("list", { name: "Steps of the deployment" });
    await steps.getByText("placed", { exact: true }).nth(1).waitFor();
    // Notes the fewest steps that are there from now on.
    await page.evaluate(`{
      const list = document.querySelector('[aria-label="Steps of the deployment"]');
      window.fewest = list.children.length;
      new MutationObserver(() => {
        window.fewest = Math.min(window.fewest, list.isConnected ? list.children.length : 0);
      }).observe(document.querySelector("main"), { childList: true, subtree: true });
    }`);
    const before = await page.evaluate<number>("window.fewest");
    cluster.updateDeployment(deployment.split("/")[2] ?? "", { Status: "successful" });
    await steps.getByText("succeeded", { exact: true }).waitFor();
    await page.getByText("took").first().waitFor();
    expect(await page.evaluate<number>("window.fewest")).toBe(before);
    expect(before).toBeGreaterThan(2);
  });

  it("nodes and jobs that go down and up again and again are named, and how often they did", async () => {
    const { cluster } = bed.simulator;
    const [id = ""] = cluster.runJob({ id: "shaky", groups: [{ name: "web", count: 1, tasks: ["main"] }] });
    const node = cluster.registerNode({ name: "wobbly" });
    const subjects = [`nodes/-/${node}`, `allocations/default/${id}`];
    const seen = async (subject: string, signal: string, times: number) => {
      await until(`${signal} ${times} times`, async () => {
        const url = `${bed.url}/v1/history?subject=${subject}&signal=${signal}`;
        return ((await (await fetch(url)).json()) as unknown[]).length >= times;
      });
    };
    await seen(subjects[0] ?? "", "node.registered", 1);
    await seen(subjects[1] ?? "", "allocation.running", 1);
    for (let round = 1; round <= 2; round += 1) {
      cluster.setNodeStatus(node, "down");
      await seen(subjects[0] ?? "", "node.down", round);
      cluster.setNodeStatus(node, "ready");
      cluster.restartTask(id, { exitCode: 1 });
      cluster.restartTask(id, { exitCode: 1 });
      await seen(subjects[0] ?? "", "node.ready", round);
      await seen(subjects[1] ?? "", "task.restarted", round);
    }
    const { page } = await open(bed, "#/cluster");
    const panel = page.getByRole("region", { name: "Flapping" });
    await panel
      .getByRole("listitem")
      .filter({ hasText: "wobbly" })
      .getByText("down twice, up twice")
      .waitFor();
    await panel.getByRole("listitem").filter({ hasText: "shaky" }).getByText("4 restarts").waitFor();
    await page.getByText("flapping: down twice, up twice").waitFor();
  });
});
