import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createSimulator, type Simulator } from "../../packages/nomad-simulator/src/index.ts";
import { startBridgeProcess, type BridgeProcess } from "../support/bridge-process.ts";
import { runCli } from "../support/cli.ts";
import { checkLog, readLog } from "../support/feed-check.ts";
import { openStream } from "../support/protocol-reader.ts";
import { simulatorTruth } from "../support/simulator-truth.ts";
import { until } from "../support/until.ts";

const UNREDACTED = /"NodeName":"(?!\[redacted\]")/;

let directory: string;
let simulator: Simulator;
let bridge: BridgeProcess;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "ncf-reload-"));
  simulator = createSimulator({ seed: 7, allocations: 40 });
  await configure("cluster: sim");
  bridge = startBridgeProcess({
    nomadAddr: await simulator.listen(),
    feed: `sqlite:${join(directory, "feed.db")}`,
    flags: ["--config", join(directory, "feed.yaml"), "--baseline", "events", "--max-event-bytes", "10MiB"],
  });
  await bridge.ready();
});
afterEach(async () => {
  await bridge.kill();
  await simulator.close();
  await rm(directory, { recursive: true, force: true });
});

function configure(text: string): Promise<void> {
  return writeFile(join(directory, "feed.yaml"), text);
}

/** The line that the process logs of it. */
function said(words: string) {
  return until(words, () => bridge.lines.find(({ msg }) => msg.includes(words)));
}

async function reload() {
  return runCli(["reload", "--url", await bridge.url()]);
}

it("applies rules at SIGHUP under load: the subscriber stays, gets every event, and from then on redacted ones", async () => {
  await using stream = await openStream(
    "ndjson",
    `${await bridge.url()}/v1/events?cursor=earliest&types=allocations`,
  );
  const churning = setInterval(() => simulator.churn(2), 50);
  try {
    const before = await stream.until(({ text }) => text.includes('"op":"update"'));
    await configure(`${destinations({ out: "out" })}redaction:\n  - paths: [/NodeName]\n`);
    bridge.child.kill("SIGHUP");
    expect(await said("applied")).toMatchObject({ by: "SIGHUP", redaction: true, needRestart: [] });
    await until("events in out", async () => (await delivered("out")).length > 50);
    expect(UNREDACTED.test(await readFile(join(directory, "out"), "utf8"))).toBe(false);
    // Read for a second time, whatever the ring had of it.
    const page = await fetch(`${await bridge.url()}/v1/events?types=allocations&limit=1000`);
    expect(UNREDACTED.test(await page.text())).toBe(false);
    const after = await stream.until(({ text }) => text.includes("[redacted]"));
    const later = await stream.until(({ text }) => text.includes("[redacted]"));
    expect(later.at(-1)?.text).toContain('"redacted":["/after/NodeName"');
    const sequences = [...before, ...after, ...later].flatMap(({ text }) => {
      const { sequence } = JSON.parse(text) as { sequence?: string };
      return sequence === undefined ? [] : [Number(sequence)];
    });
    expect(sequences).toEqual(sequences.toSorted((a, b) => a - b));
    const log = await fetch(`${await bridge.url()}/v1/history?order=oldest-first&limit=1000`);
    const known = ((await log.json()) as { sequence: string; type: string }[])
      .filter(({ type }) => type.startsWith("nomad.allocation"))
      .map(({ sequence }) => Number(sequence));
    const last = sequences.at(-1) ?? 0;
    expect(known.filter((sequence) => sequence <= last && !sequences.includes(sequence))).toEqual([]);
  } finally {
    clearInterval(churning);
  }
});

it("refuses a bad file whole, with line and path, and names what only a restart applies", async () => {
  await configure("cluster: sim\nredaction:\n  - paths: [/NodeName]\n");
  expect(await reload()).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^applied .*: redaction changed\n$/) as string,
  });

  await configure(
    "cluster: sim\nredaction: []\ndestinations:\n  a:\n    type: filee\n  b: { type: stdout, timeout: 5 }\n",
  );
  const refused = await reload();
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain(
    'feed.yaml:5: destinations.a.type: "filee" is not allowed; did you mean file?',
  );
  expect(refused.stderr).toContain("feed.yaml:6: destinations.b.timeout:");
  expect(await said("refused, the former goes on")).toMatchObject({ problems: { length: 2 } });
  const state = await fetch(`${await bridge.url()}/v1/state?types=allocations`);
  expect(await state.text()).toContain('"NodeName":"[redacted]"');

  await configure("cluster: other\nwait: 3s\n");
  expect(await reload()).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("redaction changed; a restart applies --cluster, --wait") as string,
  });
  const whole = await fetch(`${await bridge.url()}/v1/state?types=allocations`);
  expect(await whole.text()).not.toContain("[redacted]");
  expect(await bridge.stop()).toBe(0);
});

/** The newest sequence, once everything that the cluster did is in the log. */
async function restingEnd(): Promise<number> {
  const events = await until("the log is what the cluster has", async () => {
    const read = await readLog(join(directory, "feed.db"));
    return checkLog(read, simulatorTruth(simulator)).lost.length === 0 && read;
  });
  return events.length;
}

/** Sequences of the events in a file that a destination writes. */
async function delivered(file: string): Promise<number[]> {
  const text = await readFile(join(directory, file), "utf8").catch(() => "");
  const lines = text.split("\n").filter((line) => line.endsWith("}"));
  return lines.map((line) => Number((JSON.parse(line) as { sequence: string }).sequence));
}

function destinations(files: Readonly<Record<string, string>>): string {
  const lines = Object.entries(files).map(
    ([name, file]) => `  ${name}: { type: file, path: ${join(directory, file)}, fsync: none }`,
  );
  return `cluster: sim\ndestinations:\n${lines.join("\n")}\n`;
}

it("changes destinations under load: what is the same goes on, and no position is lost", async () => {
  const churning = setInterval(() => simulator.churn(2), 50);
  try {
    await configure(destinations({ same: "same", other: "before", gone: "gone" }));
    expect((await reload()).stdout).toMatch(/: destinations added: same, other, gone\n$/);
    for (const file of ["same", "before", "gone"]) {
      await until(`events in ${file}`, async () => (await delivered(file)).length > 50);
    }
    await configure(destinations({ same: "same", other: "after", added: "added" }));
    bridge.child.kill("SIGHUP");
    expect(
      await said("destinations added: added; destinations removed: gone; destinations changed: other"),
    ).toMatchObject({
      by: "SIGHUP",
    });
    await until("events in after", async () => (await delivered("after")).length > 50);
    const metrics = await until("nothing of what is gone in the metrics", async () => {
      const text = await (await fetch(`${await bridge.url()}/metrics`)).text();
      return !text.includes('destination="gone"') && text;
    });
    expect(metrics).toContain('destination="other"');
  } finally {
    clearInterval(churning);
  }
  const sequence = await restingEnd();
  const all = Array.from({ length: sequence }, (_, position) => position + 1);
  for (const file of ["same", "added"]) {
    await until(`all in ${file}`, async () => (await delivered(file)).length >= sequence);
    expect(await delivered(file)).toEqual(all);
  }
  await until("the last after", async () => (await delivered("after")).includes(sequence));
  const [before, after] = [await delivered("before"), await delivered("after")];
  expect([...new Set([...before, ...after])].toSorted((a, b) => a - b)).toEqual(all);
  // What was under way may come twice, the rest does not.
  expect(after[0]).toBeGreaterThan(1);
  const gone = await delivered("gone");
  expect(gone).toEqual(all.slice(0, gone.length));
});
