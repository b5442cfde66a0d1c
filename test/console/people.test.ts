import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { accessibilityFindings } from "../support/console/accessibility.ts";
import type { ConsoleBed } from "../support/console/bed.ts";
import { describeConsole } from "../support/console/console-test.ts";
import { until } from "../support/until.ts";

/** A webhook's other side: what it got, and whether it takes events of errors. */
class Hook {
  readonly server: Server;
  readonly got: string[] = [];
  takesErrors = false;

  constructor() {
    this.server = createServer((request, response) => {
      let body = "";
      request.on("data", (chunk) => (body += chunk));
      request.on("end", () => {
        const isRefused = !this.takesErrors && body.includes('"severitytext":"ERROR"');
        if (!isRefused) this.got.push(body);
        response.writeHead(isRefused ? 422 : 200).end(isRefused ? "no errors, please" : "thank you");
      });
    });
  }

  async listen(): Promise<string> {
    this.server.listen(0, "127.0.0.1");
    await once(this.server, "listening");
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/`;
  }
}

describeConsole("what people do about alerts and deliveries", ({ open, startBed }) => {
  const hook = new Hook();
  let directory: string;
  let bed: ConsoleBed;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "ncf-people-"));
    const config = join(directory, "feed.yaml");
    const url = await hook.listen();
    await writeFile(
      config,
      `destinations:
  hook: { type: webhook, url: "${url}", allowPrivate: true, types: [allocations] }
  on-call: { type: alert-webhook, url: "${url}", allowPrivate: true }
routes:
  - { to: on-call, minSeverity: ERROR, groupWait: 1h }
alerts:
  rules:
    NodeDown: { for: 1s }
`,
    );
    bed = await startBed({ flags: { config } });
    // A delivery begins with what comes after it.
    await until("the delivery has begun", async () => {
      const answer = await fetch(`${bed.url}/v1/deliveries/hook`);
      return ((await answer.json()) as { cursor: string | null }).cursor !== null;
    });
    const [allocation = ""] = bed.simulator.cluster.runJob({
      id: "shop",
      groups: [{ name: "web", count: 1, tasks: ["main"] }],
    });
    await until("the feed has the allocation", () =>
      hook.got.some((body) => body.includes(allocation) && body.includes('"running"')),
    );
    bed.simulator.cluster.failAllocation(allocation, { exitCode: 7 });
  });
  afterAll(async () => {
    hook.server.close();
    await rm(directory, { recursive: true, force: true });
  });

  it("a delivery is tried, paused and resumed, and what it would not take is sent once more", async () => {
    const { page } = await open(bed, "#/deliveries");
    await page.getByRole("row").filter({ hasText: "hook" }).getByRole("link", { name: "hook" }).click();
    await page.getByRole("heading", { name: "hook" }).waitFor();

    await page.getByRole("button", { name: "Send a test" }).click();
    const test = page.getByRole("dialog", { name: "Test of hook" });
    await test.getByText("with status 200").waitFor();
    await test.getByText("thank you").waitFor();
    await page.keyboard.press("Escape");

    // The key of the time is no key of the delivery's.
    const sent = hook.got.length;
    await page.keyboard.press("t");
    await page.getByText("What is shown is how it is now.").waitFor();
    await page.keyboard.press("t");
    expect(hook.got).toHaveLength(sent);

    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByText("paused", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Resume" }).click();
    await page.getByText("delivering", { exact: true }).waitFor();

    await page.getByRole("tab", { name: /^Dead letters/ }).click();
    const letter = page.getByRole("listitem").filter({ hasText: "422" }).first();
    await letter.waitFor();
    hook.takesErrors = true;
    await page.getByRole("button", { name: "Retry all" }).click();
    await page.getByText("sent once more").waitFor();
    await page.getByText("There are no dead letters").waitFor();
    expect(hook.got.some((body) => body.includes('"severitytext":"ERROR"'))).toBe(true);
    expect(await accessibilityFindings(page)).toEqual([]);
  });

  it("an alert is read, silenced and heard again, and shown the way it would take", async () => {
    const node = bed.simulator.cluster.registerNode({ name: "old-faithful" });
    const { page } = await open(bed, "#/alerts");
    await page.getByText("Nothing fires").waitFor();
    bed.simulator.cluster.setNodeStatus(node, "down");
    const alert = page.getByRole("listitem").filter({ hasText: "old-faithful" });
    await alert.getByRole("button", { expanded: false }).click();
    await alert.getByRole("link", { name: "node old-faithful" }).first().waitFor();
    expect(await accessibilityFindings(page)).toEqual([]);

    await alert.getByRole("button", { name: "Silence…" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Comment").fill("known");
    await dialog.getByRole("button", { name: "Silence", exact: true }).click();
    await alert.getByText("silenced").waitFor();
    await page.getByRole("tab", { name: /^Silences/ }).click();
    const silence = page.getByRole("listitem").filter({ hasText: "known" });
    await silence.getByRole("button", { name: "End now" }).click();
    await page.getByText("Nothing is silenced").waitFor();

    await page.getByRole("tab", { name: "Routes" }).click();
    await page.getByRole("combobox", { name: /^Alert/ }).selectOption("written");
    await page.getByText("on-call is told after").waitFor();
    await page.getByRole("combobox", { name: /^Severity/ }).selectOption("INFO");
    await page.getByText("Nobody is told: no route takes it.").waitFor();
    await page.getByText("severity INFO is below ERROR").waitFor();
  });
});
