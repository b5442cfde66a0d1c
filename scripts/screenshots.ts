import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { chromium, type Browser } from "playwright-core";
import { CHROMIUM, NO_CHROMIUM } from "../test/support/chromium.ts";
import { ConsoleBed } from "../test/support/console/bed.ts";
import { startChromium } from "../test/support/console/chromium-server.ts";
import { openPage, settled, type OpenOptions } from "../test/support/console/page.ts";
import { until } from "../test/support/until.ts";
import { buildConsole } from "./build-console.ts";

const USAGE = `npm run screenshots -- [--folder <path>] [--seconds <n>] [--only <page>]...

Pictures of every page of the console, at a desk and on a phone, light and dark, of a simulated cluster that was busy
for so many seconds (default 20). Into screenshots, or the folder that is named.
`;

const LOOKS: readonly Required<OpenOptions>[] = [
  { device: "desk", theme: "light" },
  { device: "desk", theme: "dark" },
  { device: "phone", theme: "light" },
  { device: "phone", theme: "dark" },
];
const WIDTHS = { desk: 1440, phone: 390 };

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      folder: { type: "string", default: "screenshots" },
      seconds: { type: "string", default: "20" },
      only: { type: "string", multiple: true },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  if (CHROMIUM === undefined) {
    process.stderr.write(`${NO_CHROMIUM}\n`);
    return 1;
  }
  await mkdir(values.folder, { recursive: true });
  await using parts = new AsyncDisposableStack();
  const files = await mkdtemp(join(tmpdir(), "ncf-screenshots-"));
  parts.defer(() => rm(files, { recursive: true, force: true }));
  const server = parts.adopt(await startChromium(CHROMIUM), (one) => one.close());
  const browser = parts.adopt(await chromium.connect(server.endpoint), (one) => one.close());
  const bed = parts.use(await busyBed(files, Number(values.seconds) * 1000));
  for (const [name, hash] of await pagesOf(bed)) {
    if (values.only !== undefined && !values.only.includes(name)) continue;
    for (const look of LOOKS) {
      const path = join(values.folder, `${name}-${WIDTHS[look.device]}-${look.theme}.png`);
      await picture(browser, `${bed.url}/${hash}`, look, path);
      process.stdout.write(`${path}\n`);
    }
  }
  return 0;
}

/** A cluster with a past: it goes on, more slowly, so that what is live lives. */
async function busyBed(folder: string, busyMs: number): Promise<ConsoleBed> {
  const config = join(folder, "feed.yaml");
  await writeFile(
    config,
    `destinations:
  archive: { type: file, path: ${join(folder, "events.ndjson")} }
  ci: { type: webhook, url: "http://127.0.0.1:9/hooks", types: deployments }
`,
  );
  const bed = await ConsoleBed.start(await buildConsole(), {
    simulator: { allocations: 400, namespaces: 3 },
    flags: { config },
  });
  bed.simulator.start({ changesPerSecond: 40 });
  await new Promise((resolve) => setTimeout(resolve, busyMs));
  bed.simulator.stop();
  bed.simulator.start({ changesPerSecond: 2 });
  return bed;
}

/** Names and places of all pages; those of one object and one event are of the busiest service. */
async function pagesOf({ url }: ConsoleBed): Promise<[name: string, hash: string][]> {
  const ask = async <T>(path: string) => (await (await fetch(`${url}${path}`)).json()) as T;
  type Event = { cursor: string; subject: string };
  const [failure] = await ask<Event[]>("/v1/history?signal=allocation.failed&limit=1");
  const [deployment] = await ask<Event[]>("/v1/history?signal=deployment.failed&limit=1");
  return [
    ["live", "#/live"],
    ["state", "#/state/jobs"],
    ["allocations", "#/state/allocations"],
    ["deployments", "#/deployments"],
    ["cluster", "#/cluster"],
    ["alerts", "#/alerts"],
    ["deliveries", "#/deliveries"],
    ["object", `#/object/${failure?.subject ?? deployment?.subject ?? ""}`],
    ["event", `#/event/${failure?.cursor ?? ""}`],
  ];
}

async function picture(browser: Browser, address: string, look: OpenOptions, path: string): Promise<void> {
  await using opened = await openPage(browser, address, look);
  await until("the page is there", () => settled(opened.page));
  await opened.page.screenshot({ path });
}

process.exitCode = await main();
