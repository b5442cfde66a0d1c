import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { own } from "../support/own-processes.ts";
import { until } from "../support/until.ts";
import { watchCluster, type WatchedCluster } from "../support/watched-cluster.ts";

const EXAMPLES = join(import.meta.dirname, "../../examples");

/** An example as its users start it, with the client from the sources. */
class Example {
  said = "";
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;

  constructor(name: string, flags: readonly string[]) {
    const script = join(EXAMPLES, `${name}.ts`);
    this.#child = own(
      spawn(process.execPath, ["--conditions=checkout", script, ...flags], {
        stdio: ["ignore", "pipe", "pipe"],
      }),
      name,
    );
    this.#exited = once(this.#child, "exit");
    const hear = (text: string) => (this.said += text);
    this.#child.stdout?.setEncoding("utf8").on("data", hear);
    this.#child.stderr?.setEncoding("utf8").on("data", hear);
  }

  get lines(): string[] {
    return this.said.split("\n").filter((line) => line !== "");
  }

  /** Its exit code after it was told to end. */
  async end(): Promise<number | null> {
    if (this.#child.exitCode === null) this.#child.kill("SIGTERM");
    await this.#exited;
    return this.#child.exitCode;
  }
}

let cluster: WatchedCluster;
let url: string;
let directory: string;
const started: Example[] = [];
const start = (name: string, ...flags: string[]) => {
  const example = new Example(name, ["--url", url, ...flags]);
  started.push(example);
  return example;
};

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "ncf-examples-"));
  cluster = await watchCluster();
  url = cluster.bridge.url;
});
afterEach(async () => {
  await Promise.all(started.splice(0).map((example) => example.end()));
});
afterAll(async () => {
  await cluster.close();
  await rm(directory, { recursive: true, force: true });
});

/** Lets the cluster live until its log has another event that passes. */
async function another(passes: (event: { signals: readonly string[]; severity: string }) => boolean) {
  const count = async () => (await cluster.events()).filter(passes).length;
  const before = await count();
  await until("another event", async () => {
    cluster.simulator.churn(20);
    await cluster.polls(1);
    return (await count()) > before;
  });
}

it("subscribe.ts goes on where it stopped", async () => {
  const cursorFile = join(directory, "cursor");
  const failed = ({ signals }: { signals: readonly string[] }) => signals.includes("allocation.failed");
  const first = start("subscribe", "--cursor-file", cursorFile);
  await another(failed);
  await until("the first failure", () => first.said.includes("failed on"));
  expect(await first.end()).toBe(0);
  const cursor = await until("the cursor", () => readFile(cursorFile, "utf8"));
  await another(failed);
  const second = start("subscribe", "--cursor-file", cursorFile);
  await until("the next failure", () => second.said.includes("failed on"));
  expect(second.lines.filter((line) => first.lines.includes(line))).toEqual([]);
  expect(cursor).toMatch(/^\w+-\d+$/);
  expect(await second.end()).toBe(0);
});

it("watch-state.ts tells what runs where, and what changes of it", async () => {
  const example = start("watch-state");
  await until("the state", () => example.lines.length > 0);
  expect(example.lines[0]).toMatch(/^[\w-]+: \d+/);
  await until("a change", async () => {
    cluster.simulator.churn(20);
    await cluster.polls(1);
    return new Set(example.lines).size > 1;
  });
  expect(await example.end()).toBe(0);
});

it("consume.ts goes on behind its last ack", async () => {
  const isWarning = ({ severity }: { severity: string }) => ["WARN", "ERROR"].includes(severity);
  await another(isWarning);
  const first = start("consume");
  await until("the first warning", () => /^(WARN|ERROR) nomad\./m.test(first.said));
  expect(await first.end()).toBe(0);
  await another(isWarning);
  const second = start("consume");
  await until("the next warning", () => second.lines.length > 0);
  // It may have ended between the effect of the last one and its ack.
  expect(second.lines.filter((line) => first.lines.slice(0, -1).includes(line))).toEqual([]);
  expect(await second.end()).toBe(0);
});
