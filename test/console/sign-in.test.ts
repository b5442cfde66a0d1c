import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { accessibilityFindings } from "../support/console/accessibility.ts";
import { describeConsole } from "../support/console/console-test.ts";

const TOKEN = "console-token-of-one-namespace-01";
const sha256 = createHash("sha256").update(TOKEN).digest("hex");
const TOKENS = `tokens:
  - { name: qa, sha256: ${sha256}, namespaces: [default], resources: ["*"] }
`;

describeConsole("signing in", ({ open, startBed }) => {
  it("lets one see what the token may see, and nothing of another namespace; until one signs out", async () => {
    const bed = await startBed({ tokens: TOKENS, simulator: { allocations: 0, namespaces: 1 } });
    const { cluster } = bed.simulator;
    cluster.createNamespace("hidden");
    cluster.runJob({ id: "not-yours", namespace: "hidden" });
    cluster.runJob({ id: "yours", namespace: "default" });
    const { page, problems } = await open(bed, "#/state/jobs", { device: "phone", theme: "dark" });
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    expect(await accessibilityFindings(page)).toEqual([]);

    problems.tolerate(/ 401 .*\/v1\/session/);
    await page.getByLabel("Token").fill("somebody-elses-token-0000");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").waitFor();
    await page.getByLabel("Token").fill(TOKEN);
    await page.keyboard.press("Enter");
    await page.getByText("yours", { exact: true }).first().waitFor();
    const seen = await page.locator("body").innerText();
    expect(seen).not.toContain("not-yours");
    expect(seen).not.toContain("hidden");
    expect(await page.evaluate("document.cookie + JSON.stringify(localStorage)")).not.toContain(TOKEN);

    problems.tolerate(/ 403 /);
    await page.goto(`${bed.url}/#/deliveries`);
    await page.getByText("You may not see this here").waitFor();
    expect(await page.getByRole("alert").count()).toBe(0);
    await page.goto(`${bed.url}/#/state/jobs`);

    await page.reload();
    await page.getByText("yours", { exact: true }).first().waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    expect(await page.locator("body").innerText()).not.toContain("yours");
  });
});
