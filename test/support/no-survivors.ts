import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { JOURNAL, survivorsIn } from "./own-processes.ts";
import { until } from "./until.ts";

/** The last workers of vitest may just be ending, and what they started with them. */
const GRACE_MS = 10_000;

/** Around a whole run of the tests, which fails where a process that they started outlives it. */
export default function noSurvivors(): () => Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "test-processes-"));
  const journal = join(directory, "started");
  writeFileSync(journal, "");
  process.env[JOURNAL] = journal;
  return async () => {
    try {
      await failForSurvivors(journal);
    } finally {
      rmSync(directory, { recursive: true });
    }
  };
}

async function failForSurvivors(journal: string): Promise<void> {
  const isOver = () => survivorsIn(journal).length === 0;
  await until("all processes that the tests started have ended", isOver, GRACE_MS).catch(() => undefined);
  const left = survivorsIn(journal);
  if (left.length === 0) return;
  for (const { pid } of left) process.kill(pid, "SIGKILL");
  const named = left.map(({ pid, what }) => `  process ${pid}, ${what}`);
  throw new Error(`these processes outlived the tests that started them:\n${named.join("\n")}`);
}
