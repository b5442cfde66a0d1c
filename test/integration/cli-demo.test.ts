import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { buildConsole } from "../../scripts/build-console.ts";
import { runCli, startCli } from "../support/cli.ts";
import { until } from "../support/until.ts";

const SUMMARY = /^Demo over: (\d+) changes in \d+ s, (\d+) events in the log, 0 lost$/m;

it("shows a line for every event, ends by itself, and nothing is lost", async () => {
  await buildConsole();
  const lively = ["--changes-per-second", "60", "--for", "2s"];
  const { code, stdout } = await runCli(["demo", "--listen", "127.0.0.1:0", ...lively]);
  expect(code).toBe(0);
  const [, changes, events] = SUMMARY.exec(stdout) ?? [];
  expect(Number(changes)).toBeGreaterThan(50);
  expect(stdout.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ /gm)).toHaveLength(Number(events));
  const [introduction = ""] = stdout.split("Every line is one event:", 1);
  expect(introduction).toMatch(/^The console: http:\/\/127\.0\.0\.1:\d+\/\n/);
  expect(introduction).toMatch(/curl -N http:\/\/127\.0\.0\.1:\d+\/v1\/events/);
  // A usual terminal breaks no line of it, so that all of it can be copied.
  expect(introduction.split("\n").filter((line) => line.length > 80)).toEqual([]);
});

it("ends in order at a Ctrl-C that comes before anything happened", async () => {
  const cli = startCli(["demo", "--listen", "127.0.0.1:0"]);
  cli.interrupt();
  expect(await cli.done).toBe(0);
  expect(cli.stderr).toBe("");
});

it("ends at Ctrl-C, and keeps the log where it was told to", async () => {
  const folder = await mkdtemp(join(tmpdir(), "ncf-demo-"));
  try {
    const feed = `sqlite:${join(folder, "demo.db")}`;
    const cli = startCli(["demo", "--listen", "127.0.0.1:0", "--feed", feed]);
    await until("some events", () => cli.stdout.includes(" allocation."));
    cli.interrupt();
    expect(await cli.done).toBe(0);
    const [, , events] = SUMMARY.exec(cli.stdout) ?? [];
    const { stdout } = await runCli(["history", "--feed", feed]);
    const changes = stdout.split("\n").filter((line) => line !== "" && !line.includes(" feed."));
    expect(changes).toHaveLength(Number(events));
  } finally {
    await rm(folder, { recursive: true });
  }
});
