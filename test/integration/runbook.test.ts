import { execFile } from "node:child_process";
import { copyFileSync } from "node:fs";
import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { placesOf } from "../../src/commands/completion/places.ts";
import { builtProgram, runCli } from "../support/cli.ts";
import { readRepositoryFile } from "../support/container-files.ts";
import { programMissing, RULES, rulesSchema } from "../support/deploy-files.ts";
import { openTestLog } from "../support/redis-logs.ts";
import { redisCliMissing, redisMissing, RedisServer } from "../support/redis-server.ts";
import { skippedBecause } from "../support/skipped.ts";
import { openSqlite } from "../support/sqlite-files.ts";
import { commitOf } from "../support/sqlite-file-bed.ts";
import { until } from "../support/until.ts";

const shell = promisify(execFile);
const PAGE = readRepositoryFile("docs/runbook.md");
const noSqlite = programMissing("sqlite3", "Debian: apt-get install sqlite3");
const noRedis = redisMissing() ?? redisCliMissing();

/** The lines to type below a heading. */
function typedUnder(heading: string): string[] {
  const part = PAGE.split(/^#+ /m).find((text) => text.startsWith(`${heading}\n`)) ?? "";
  return [...part.matchAll(/```sh\n(.*?)```/gs)].flatMap(([, lines = ""]) => lines.trim().split("\n"));
}

it("docs/runbook.md has a part for each alert, and for no other", () => {
  const { groups } = rulesSchema.parse(parse(readRepositoryFile(RULES)));
  const alerts = groups.flatMap(({ rules }) => rules.map(({ alert }) => alert));
  const parts = [...PAGE.matchAll(/^#### (\w+)$/gm)].map(([, name]) => name);
  expect(new Set(parts)).toEqual(new Set(alerts));
  expect(parts).toHaveLength(alerts.length);
});

it("its commands and flags are those of the program", () => {
  const places = new Map(placesOf(builtProgram()).map((place) => [place.path, place]));
  const code = [...PAGE.matchAll(/`(nomad-changefeed [^`]+)`|^(?: {4})?(nomad-changefeed .+)$/gm)];
  const unknown = code.flatMap(([, inline, block]) => {
    const words = (inline ?? block ?? "").replace(/ +#.*/, "").split(/\s+/).slice(1);
    const path = [...words.keys()]
      .map((end) => words.slice(0, words.length - end).join(" "))
      .find((each) => places.has(each));
    const flags = places.get(path ?? "")?.flags.map(({ name }) => name) ?? [];
    const wrong = words.filter((word) => word.startsWith("--") && !flags.includes(word));
    return path === undefined && !words[0]?.startsWith("--") ? [words.join(" ")] : wrong;
  });
  expect(code.length).toBeGreaterThan(15);
  expect(unknown).toEqual([]);
});

it.skipIf(noSqlite !== undefined)(
  `a file is backed up while it is written, checked, and can be restored${skippedBecause(noSqlite)}`,
  async () => {
    await using place = await mkdtempDisposable(join(tmpdir(), "ncf-backup-"));
    const path = join(place.path, "nomad-changefeed.db");
    const here = (line: string) =>
      line.replaceAll("/var/lib/nomad-changefeed", place.path).replaceAll("/backup", place.path);
    const log = await openSqlite({ path, source: "nomad://test/global" });
    await log.commit(await commitOf(log, 5));
    const backups = typedUnder("Back up a file");
    expect(backups).toHaveLength(4);
    let said = "";
    for (const line of backups.filter((each) => each.startsWith("sqlite3"))) {
      said += (await shell("bash", ["-c", here(line)])).stdout;
      // It goes on being written in between.
      await log.commit(await commitOf(log, 5));
    }
    expect(said).toMatch(/^ok\n\w+\|0\|5\n$/);
    const [, ...words] = here(backups.at(-1) ?? "").split(" ");
    const history = await runCli(words);
    expect(history.code).toBe(0);
    expect(history.stdout.trim().split("\n")).toHaveLength(3);
    const { epoch } = await log.head();
    await log[Symbol.asyncDispose]();

    for (const [name, sequence] of [
      ["changefeed.db", 5],
      ["changefeed-small.db", 10],
    ] as const) {
      const restored = await openSqlite({ path: join(place.path, name), source: "nomad://test/global" });
      expect(await restored.head()).toMatchObject({ epoch, sequence });
      await restored.commit(await commitOf(restored, 1));
      await restored[Symbol.asyncDispose]();
    }
  },
);

it.skipIf(noRedis !== undefined)(
  `Redis is backed up while it is written, and begins a new epoch when it is restored${skippedBecause(noRedis)}`,
  async () => {
    await using place = await mkdtempDisposable(join(tmpdir(), "ncf-backup-"));
    const here = (line: string, { url }: RedisServer) =>
      line
        .replaceAll("redis://127.0.0.1:6379", url)
        .replaceAll("/backup", place.path)
        .replaceAll("{prod}", "{default}");
    let before;
    {
      await using server = await RedisServer.start("--appendonly", "yes");
      const log = await openTestLog(server.url);
      await log.commit(await commitOf(log, 5));
      before = await log.head();
      const [backup = ""] = typedUnder("Back up Redis");
      await shell("bash", ["-c", here(backup, server)]);
      await log.commit(await commitOf(log, 5));
      await log[Symbol.asyncDispose]();
    }
    copyFileSync(join(place.path, "changefeed.rdb"), join(place.path, "dump.rdb"));
    await using server = await RedisServer.start("--dir", place.path, "--appendonly", "no");
    const [look = "", turnOn = "", persistence = ""] = typedUnder("Restore Redis");
    const typed = async (line: string) => (await shell("bash", ["-c", here(line, server)])).stdout;
    expect(await typed(look)).toBe(`${before.epoch}\n5\n`);
    expect(await typed(turnOn)).toBe("OK\n");
    await until("the file is written", async () =>
      (await typed(persistence)).includes("aof_rewrite_in_progress:0"),
    );

    const restored = await openTestLog(server.url);
    expect((await restored.head()).epoch).not.toBe(before.epoch);
    await expect(restored.read({ epoch: before.epoch, sequence: 3 }, { limit: 9 })).rejects.toMatchObject({
      code: "EPOCH_CHANGED",
    });
    await restored[Symbol.asyncDispose]();
  },
);
