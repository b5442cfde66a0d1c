import { setTimeout as delay } from "node:timers/promises";
import { expect } from "vitest";
import type { Claim, FeedLog } from "../../src/feed/log.ts";
import { ChangefeedError } from "../../src/schemas/errors.ts";
import { objectChange } from "./drafts.ts";
import { until } from "./until.ts";

const JOBS = { resource: "jobs", namespace: "default" } as const;
const AGAIN_MS = 20;

/**
 * A writer as the pollers are: commits changes 1, 2, 3 … one after another, each until it is taken, and claims the
 * scope again where the log says that it is not what the writer knew.
 */
export class SteadyWriter {
  /** Changes whose commit was answered. */
  readonly acknowledged: number[] = [];
  /** Codes of the errors it met on the way. */
  readonly errors = new Set<string>();
  readonly #log: FeedLog;
  readonly #work: Promise<void>;
  #claim: Claim | undefined;
  #rev = 0;
  #stopped = false;

  constructor(log: FeedLog) {
    this.#log = log;
    this.#work = this.#run();
    this.#work.catch(() => undefined);
  }

  /** Answers when `count` further commits were answered. */
  async more(count: number): Promise<void> {
    const wanted = this.acknowledged.length + count;
    await until(`${count} more commits`, () => this.acknowledged.length >= wanted);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#work;
  }

  async #run(): Promise<void> {
    for (let number = 1; !this.#stopped; number += 1) {
      while (!(await this.#commit(number))) await delay(AGAIN_MS);
      this.acknowledged.push(number);
    }
  }

  async #commit(number: number): Promise<boolean> {
    try {
      this.#claim ??= await this.#log.claim(JOBS, "writer");
      const { fence, rev } = this.#claim;
      const { event, state } = objectChange({ ...JOBS, key: `job-${number}` }, String(number));
      const committed = await this.#log.commit({
        scope: JOBS,
        fence,
        expectedRev: Math.max(rev, this.#rev),
        commitId: `${fence}.${number}`,
        events: [event],
        state: [state],
      });
      this.#rev = committed.rev;
      return true;
    } catch (error) {
      if (!(error instanceof ChangefeedError)) throw error;
      this.errors.add(error.code);
      if (error.code === "CONFLICT") [this.#claim, this.#rev] = [undefined, 0];
      else if (!error.retryable) throw error;
      return false;
    }
  }
}

/** The numbers of the changes in the log, in its order. */
export async function changesIn(log: FeedLog): Promise<number[]> {
  const { epoch, floor } = await log.head();
  const entries = await log.read({ epoch, sequence: floor }, { limit: 100_000 });
  return entries.map(({ key }) => Number(key?.slice("job-".length)));
}

/** What holds after a master was lost among commits: nothing that was answered is lost or there twice, and readers follow. */
export async function expectTakenOver(
  { log, reader, writer }: { log: FeedLog; reader: FeedLog; writer: SteadyWriter },
  lines: readonly string[],
): Promise<void> {
  expect(writer.errors).toContain("LOG_UNAVAILABLE");
  const changes = await changesIn(log);
  expect(changes).toHaveLength(new Set(changes).size);
  expect(changes).toEqual(expect.arrayContaining(writer.acknowledged));
  const { sequence } = await until("the reader is at the new master", () =>
    reader.head().catch(() => undefined),
  );
  expect(await reader.waitBeyond(sequence - 1, { timeoutMs: 1000 })).toBe(true);
  expect(lines.filter((line) => line.startsWith("lost the connection to Redis"))).toHaveLength(1);
  expect(lines.filter((line) => line === "reconnected to Redis")).toHaveLength(1);
}
