import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { JOURNAL, own, survivorsIn } from "../support/own-processes.ts";
import { statOf } from "../support/process-stat.ts";
import { skippedBecause } from "../support/skipped.ts";
import { until } from "../support/until.ts";

const OWNER = new URL("../support/own-processes.ts", import.meta.url).href;
const STARTS_A_SLEEPER = `
  import { spawn } from "node:child_process";
  import { own } from ${JSON.stringify(OWNER)};
  console.log(own(spawn("sleep", ["600"]), "sleeper").pid);
  setInterval(() => {}, 1000);`;

let directory: string;
let journal: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "own-processes-"));
  journal = join(directory, "started");
  writeFileSync(journal, "");
});
afterEach(() => rmSync(directory, { recursive: true }));

/** A process that has started another and waits, as a worker of vitest does in the middle of a test. */
async function startOwner() {
  const flags = ["--disable-warning=ExperimentalWarning", "--input-type=module", "-e", STARTS_A_SLEEPER];
  const env = { ...process.env, [JOURNAL]: journal };
  const owner = own(spawn(process.execPath, flags, { env, stdio: ["ignore", "pipe", "inherit"] }), "owner");
  const [pid] = (await once(owner.stdout.setEncoding("utf8"), "data")) as [string];
  const end = async (signal: NodeJS.Signals) => {
    const exited = once(owner, "exit");
    owner.kill(signal);
    return exited;
  };
  return { sleeper: Number(pid), end };
}

const missing = statOf(process.pid) === undefined ? "no /proc here" : undefined;

it.skipIf(missing !== undefined).each(["SIGHUP", "SIGINT", "SIGTERM"] as const)(
  `what a process started ends with it at %s${skippedBecause(missing)}`,
  async (signal) => {
    const { sleeper, end } = await startOwner();
    expect(survivorsIn(journal)).toMatchObject([
      { pid: sleeper, what: expect.stringMatching(/^sleeper of .*: sleep 600$/) },
    ]);
    expect(await end(signal)).toEqual([null, signal]);
    await until("the sleeper is gone", () => statOf(sleeper) === undefined);
    expect(survivorsIn(journal)).toEqual([]);
  },
);

it.skipIf(missing !== undefined)(`what outlives its owner is named${skippedBecause(missing)}`, async () => {
  const { sleeper, end } = await startOwner();
  try {
    expect(await end("SIGKILL")).toEqual([null, "SIGKILL"]);
    expect(survivorsIn(journal)).toMatchObject([{ pid: sleeper }]);
  } finally {
    process.kill(sleeper, "SIGKILL");
  }
  await until("it is named no more", () => survivorsIn(journal).length === 0);
});
