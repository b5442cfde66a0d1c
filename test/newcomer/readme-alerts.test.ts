import { execFile, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { alertmanagerMissing } from "../support/alertmanager.ts";
import { own } from "../support/own-processes.ts";
import { freePort } from "../support/redis-server.ts";
import { skippedBecause } from "../support/skipped.ts";
import { until } from "../support/until.ts";

const ROOT = join(import.meta.dirname, "../..");
const SECTION = /\n## Be told\n[^]*?\n```sh\n([^]*?)\n```\n/;
const missing = alertmanagerMissing();

let place: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), "ncf-readme-"));
  // A checkout, and what the commands write beside it.
  for (const name of readdirSync(ROOT)) symlinkSync(join(ROOT, name), join(place, name));
});
afterEach(() => rmSync(place, { recursive: true }));

/** The commands of the page: those up to the last that goes on in the background, and those to look with. */
async function commandsOfThePage() {
  const [nomad, feed, alertmanager] = [await freePort(), await freePort(), await freePort()];
  // A test has no port for itself; all else is as it stands there.
  const text = (SECTION.exec(readFileSync(join(ROOT, "README.md"), "utf8"))?.[1] ?? "")
    .replaceAll("127.0.0.1:9093", `127.0.0.1:${alertmanager}`)
    .replaceAll("start -- simulate", `start -- simulate --listen 127.0.0.1:${nomad}`)
    .replaceAll("start -- alerts", `$& --url http://127.0.0.1:${feed}`);
  const lines = text.split("\n");
  const end = lines.findLastIndex((line) => / &( #.*)?$/.test(line)) + 1;
  const env = { ...process.env, NOMAD_ADDR: `http://127.0.0.1:${nomad}`, NCF_LISTEN: `127.0.0.1:${feed}` };
  return { begin: lines.slice(0, end).join("\n"), look: lines.slice(end), env };
}

test.skipIf(missing !== undefined)(
  `from nothing to an alert in Alertmanager, by the commands of the README${skippedBecause(missing)}`,
  async () => {
    const { begin, look, env } = await commandsOfThePage();
    const shell = own(
      spawn("bash", ["-c", `${begin}\nwait`], { cwd: place, env, detached: true, stdio: "ignore" }),
      "the commands of the README",
    );
    const ended = new Promise((resolve) => shell.once("exit", resolve));
    /** What a command of the page prints; that something fires, it says by its exit code. */
    const seen = (command = "") =>
      new Promise<string>((resolve) => {
        execFile("bash", ["-c", command], { cwd: place, env }, (_error, stdout) => resolve(stdout));
      });
    try {
      expect(look).toHaveLength(2);
      await until("something fires", async () =>
        / [1-9]\d* firing, |^[1-9]\d* firing, /m.test(await seen(look[0])),
      );
      const [rule] = /^\S+Z +(?:FATAL|ERROR|WARN|INFO) +(\w+) /m.exec(await seen(look[0]))?.slice(1) ?? [];
      await until("Alertmanager has it", async () => (await seen(look[1])).includes(rule ?? "nothing"));
      expect(await seen(look[1])).toMatch(/^NomadChangefeedWatchdog /m);
    } finally {
      process.kill(-(shell.pid ?? 0), "SIGTERM");
      await ended;
    }
  },
);
