import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { buildConsole } from "../../scripts/build-console.ts";
import { readConsoleFiles, type ConsoleFiles } from "../../src/http/console/files.ts";
import { AccessFeed } from "../support/access-feed.ts";
import { BrowserPage, CHROMIUM, NO_CHROMIUM } from "../support/chromium.ts";
import { skippedBecause } from "../support/skipped.ts";
import { until } from "../support/until.ts";

const TOKEN = "static-token-of-the-operator-01";
const PAGES = ["live", "state", "deployments", "cluster", "alerts", "deliveries"];

let files: ConsoleFiles;
beforeAll(async () => {
  files = readConsoleFiles(await buildConsole());
});

it("what was built is in the package, and needs nothing from elsewhere", async () => {
  const { stdout } = await promisify(execFile)("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
    cwd: `${import.meta.dirname}/../..`,
  });
  const [{ files: packed }] = JSON.parse(stdout) as [{ files: { path: string }[] }];
  const paths = packed.map(({ path }) => path);
  for (const path of files.keys()) expect(paths).toContain(`console/dist/${path}`);
  const page = files.get("index.html")?.bytes.toString() ?? "";
  const loaded = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address = ""]) => address);
  expect(loaded.length).toBeGreaterThan(1);
  expect(loaded.filter((address) => !files.has(address.replace("./", "")))).toEqual([]);
});

it("has with what was built the licence of every library that is in it", () => {
  const text = files.get("licenses.md")?.bytes.toString() ?? "";
  const manifest = readFileSync(`${import.meta.dirname}/../../console/package.json`, "utf8");
  const { devDependencies } = JSON.parse(manifest) as { devDependencies: Record<string, string> };
  // One is the tool that builds, the other is ours.
  const libraries = Object.keys(devDependencies).filter(
    (name) => name !== "vite" && name !== "nomad-changefeed-client",
  );
  const notices = new Map(
    text.split(/^## /m).map((part) => [part.slice(0, part.indexOf(" - ")), part] as const),
  );
  expect([...notices.keys()]).toEqual(expect.arrayContaining(libraries));
  for (const name of libraries) expect(notices.get(name)).toMatch(/Copyright .*\d{4}|Copyright \(c\)/);
});

describe.skipIf(CHROMIUM === undefined)(`in Chromium${skippedBecause(NO_CHROMIUM)}`, () => {
  it("signs in with a token, opens every page within its policy, and signs out", async () => {
    await using access = await AccessFeed.open();
    access.writeTokens([{ name: "ops", token: TOKEN, namespaces: ["*"], resources: ["*"] }]);
    const { url } = await access.serve({}, { console: files });
    await using page = await BrowserPage.open(CHROMIUM ?? "", `${url}/`);
    // Who signs out loads the page again, and while it comes there is nobody to ask, or no body yet.
    const shows = (text: string) =>
      until(text, () =>
        page.run<boolean>(`document.body?.innerText.includes("${text}") ?? false`).catch(() => false),
      );
    await shows("Sign in");
    await page.run(`(() => {
      globalThis.violations = [];
      addEventListener("securitypolicyviolation", ({ violatedDirective, sourceFile, lineNumber }) =>
        violations.push([violatedDirective, sourceFile, lineNumber].join(" ")));
      addEventListener("error", ({ message }) => violations.push(message));
      document.querySelector("input[name=token]").value = "${TOKEN}";
      document.querySelector("form").requestSubmit();
    })()`);
    await shows("Sign out");
    for (const name of PAGES) {
      await page.run(`void (location.hash = "#/${name}")`);
      await until(`${name} is shown`, () =>
        page.run<boolean>(`document.title.toLowerCase().startsWith("${name.slice(0, 4)}")`),
      );
    }
    expect(await page.run("violations")).toEqual([]);
    await page.run(
      `[...document.querySelectorAll("button")].find(({ innerText }) => innerText === "Sign out").click()`,
    );
    await shows("Sign in");
    expect((await page.run<Response>(`fetch("v1/events").then(({ status }) => ({ status }))`)).status).toBe(
      401,
    );
  });
});
