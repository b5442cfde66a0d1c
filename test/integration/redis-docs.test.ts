import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { FeedLog } from "../../src/feed/log.ts";
import { runCli } from "../support/cli.ts";
import { objectChange } from "../support/drafts.ts";
import { own } from "../support/own-processes.ts";
import { blocksIn } from "../support/pages/pages.ts";
import { openTestLog } from "../support/redis-logs.ts";
import { redisCliMissing, redisMissing, RedisServer } from "../support/redis-server.ts";
import { skippedBecause } from "../support/skipped.ts";
import { until } from "../support/until.ts";

const ROOT = join(import.meta.dirname, "../..");
const PAGE = "docs/redis-log.md";
const ADDRESS = "redis://127.0.0.1:6379";
const JOBS = { resource: "jobs", namespace: "default" } as const;
/** Part of what must come back, where any text will not do. */
const ANSWERS = [
  ["XREADGROUP", '"id":"0/jobs/default/web@10"'],
  ["XACK", "1\n"],
  ["HGET", '"ID":"web"'],
] as const;
const run = promisify(execFile);

const lines = blocksIn(PAGE, "indented")
  .flatMap(({ text }) => text.trim().split("\n"))
  .filter((line) => !line.startsWith("nomad-changefeed run"));
const [ioredis = "", python = ""] = ["js", "python"].map((language) => blocksIn(PAGE, language)[0]?.text);

async function pythonMissing(): Promise<string | undefined> {
  return run("python3", ["-c", "import redis"]).then(
    () => undefined,
    () => "python3 has no module redis: apt-get install python3-redis",
  );
}

const missing = redisMissing() ?? redisCliMissing();
const noPython = await pythonMissing();

describe.skipIf(missing !== undefined)(
  `what docs/redis-log.md says of reading${skippedBecause(missing)}`,
  () => {
    let server: RedisServer;
    let client: Redis;
    let log: FeedLog;
    let commits = 0;
    beforeAll(async () => {
      server = await RedisServer.start();
      client = server.client();
      log = await openTestLog(server.url);
      await append(["web", "db", "web"]);
    });
    afterAll(async () => {
      client.disconnect();
      await log[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    });

    const append = async (keys: readonly string[]) => {
      const { fence, rev: expectedRev } = await log.claim(JOBS, "me");
      const changes = keys.map((key, n) =>
        objectChange({ ...JOBS, key }, String(10 * (commits + 1) + n), { job: key }),
      );
      const [events, state] = [changes.map(({ event }) => event), changes.map((change) => change.state)];
      await log.commit({ scope: JOBS, fence, expectedRev, commitId: `c${(commits += 1)}`, events, state });
    };

    test.each(lines)("%s", async (line) => {
      const cli = `redis-cli() { command redis-cli -e -p ${server.port} "$@"; }`;
      const { stdout } = line.startsWith("nomad-changefeed ")
        ? await runCli(line.replace("redis://redis.example", server.url).split(" ").slice(1))
        : await run("bash", ["-c", `${cli}\n${line}`]);
      expect(stdout.trim()).not.toBe("");
      expect(stdout).toContain(ANSWERS.find(([command]) => line.includes(command))?.[1] ?? "");
    });

    test("has lines for redis-cli and a block for each client", () => {
      expect(lines.length).toBeGreaterThan(8);
      expect([ioredis, python].map((code) => code.includes(ADDRESS))).toEqual([true, true]);
    });

    /**
     * Runs the block: it prints what was there and what comes, and ends with an error where retention removed events
     * that it had not read.
     */
    const assertFollows = async (program: string, ...args: string[]) => {
      const child = own(spawn(program, args, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] }), program);
      const exited = once(child, "exit");
      let written = "";
      for (const output of [child.stdout, child.stderr]) {
        output.setEncoding("utf8").on("data", (text: string) => (written += text));
      }
      try {
        const printed = (text: string) => until(`it prints ${text}`, () => written.includes(text));
        const { sequence: newest } = await log.head();
        await printed(`${newest} nomad.job.updated`);
        await append(["later"]);
        const { sequence } = await log.head();
        await printed(`${sequence} nomad.job.updated`);
        await until("its next question is held", async () =>
          /cmd=xread/.test(String(await client.client("LIST"))),
        );
        child.kill("SIGSTOP");
        // The first answers its question; of the others, all but the last are gone when it asks again.
        for (const keys of [["asked"], ["gone", "gone too", "last"]]) await append(keys);
        await log.trim({ maxEvents: 1 });
        child.kill("SIGCONT");
        await printed(`retention removed ${sequence + 2} to ${sequence + 3}`);
        await exited;
        expect(child.exitCode).toBe(1);
      } finally {
        child.kill("SIGKILL");
        await exited;
      }
    };

    test("follows the feed with ioredis", () =>
      assertFollows(process.execPath, "--input-type=module", "-e", here(ioredis)));

    test.skipIf(noPython !== undefined)(`follows the feed with Python${skippedBecause(noPython)}`, () =>
      assertFollows("python3", "-c", here(python)),
    );

    const here = (code: string) => code.replace(ADDRESS, server.url);
  },
);
