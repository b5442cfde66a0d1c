import { describe, expect, it } from "vitest";
import { buildChangeEvents } from "../../src/events/build.ts";
import { failedTask } from "../../src/events/failed-task.ts";
import { logLines } from "../../src/events/log-lines.ts";
import { NomadError } from "../../src/nomad/errors.ts";
import { logFinder } from "../../src/pollers/enrichment/log-finder.ts";
import { Redaction } from "../../src/publishers/redaction/redaction.ts";
import { sealDraft } from "../../src/schemas/draft.ts";
import { changeEventSchema } from "../../src/schemas/event-schema.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { changeOf, contextOf, SAMPLES, taskOf } from "../support/event-fixtures.ts";
import { recordingLogger } from "../support/recording-logger.ts";
import { TestClock } from "../support/test-clock.ts";

const allocation = (ClientStatus: string, TaskStates: object) => ({
  ...SAMPLES.allocations,
  ClientStatus,
  TaskStates,
});
const ended = (code: string, signal: string) =>
  taskOf({ State: "dead", Failed: true }, [
    ["Started", 1],
    ["Terminated", 2, { exit_code: code, signal }],
    ["Not Restarting", 3],
  ]);
const failure = changeOf(
  "allocations",
  allocation("running", { main: taskOf(), side: taskOf() }),
  allocation("failed", { main: taskOf(), side: ended("137", "9") }),
);

describe("the task that failed", () => {
  it("is the one that failed now, with how it ended", () => {
    expect(failedTask(failure)).toEqual({ task: "side", exitCode: 137, signal: 9 });
  });

  it("is none where it had failed before, or where the node was lost", () => {
    const after = allocation("failed", { side: ended("1", "0") });
    expect(failedTask(changeOf("allocations", after, { ...after, ModifyIndex: 1 }))).toBeUndefined();
    const lost = changeOf("allocations", SAMPLES.allocations, allocation("lost", { main: taskOf() }));
    expect(failedTask(lost)).toBeUndefined();
  });
});

describe("the last lines of a log", () => {
  it("are without colours and what else steers a terminal", () => {
    const log = "one\r\n\u001B[31mtwo\u001B[0m\tend\n\u0007\u202Ethree\n";
    expect(logLines(Buffer.from(log))).toEqual(["one", "two  end", "\uFFFD\uFFFDthree"]);
  });

  it("are whole, where it is longer than what is read of it, and twenty at most", () => {
    const log = Array.from({ length: 500 }, (_, at) => `line number ${at}`).join("\n");
    const lines = logLines(Buffer.from(log).subarray(-4096));
    expect(lines).toHaveLength(20);
    expect(lines.at(-1)).toBe("line number 499");
    expect(logLines(Buffer.from(`${"x".repeat(4090)}\nlast\n`).subarray(-4096))).toEqual(["last"]);
    expect(logLines(Buffer.alloc(0))).toEqual([]);
  });
});

const text = "connecting\npassword=hunter2\nrefused\n";
const rules = [{ patterns: ["password="], resources: ["allocations" as const] }];
const none = new AbortController().signal;

describe("what is found of a log", () => {
  it("is redacted line by line, when it is written and when it leaves", async () => {
    const deps = {
      clock: new TestClock(),
      logger: silentLogger(),
      logs: { tail: async () => Buffer.from(text) },
    };
    const redaction = new Redaction(rules);
    const finderWith = (by: Redaction) =>
      logFinder({
        ...deps,
        redact: (namespace, texts) => by.texts({ resource: "allocations", namespace }, texts),
      });
    const lines = ["connecting", "[redacted]", "refused"];
    expect(await finderWith(redaction).find(failure, none)).toMatchObject({ log: { task: "side", lines } });
    const found = await finderWith(new Redaction([])).find(failure, none);
    if (typeof found === "string") throw new Error(found);
    const [draft] = buildChangeEvents(failure, contextOf({}, { found: new Map([[failure, found]]) }));
    if (draft === undefined) throw new Error("no event");
    const { data } = changeEventSchema.parse(JSON.parse(redaction.eventText(sealDraft(draft, "e", 1))));
    expect(data.log).toMatchObject({ task: "side", exitCode: 137, signal: 9, lines });
    expect(data.redacted).toEqual(["/log/lines/1"]);
  });

  it("is asked for again ten minutes after it was refused; that is logged once", async () => {
    const clock = new TestClock();
    const { logger, lines } = recordingLogger();
    let asked = 0;
    const tail = async () => {
      asked += 1;
      throw new NomadError("NOMAD_FORBIDDEN", "refused", { retryable: false, hint: "" });
    };
    const finder = logFinder({ clock, logger, logs: { tail }, redact: (_namespace, texts) => texts });
    for (const [waitMs, total] of [
      [0, 1],
      [590_000, 1],
      [20_000, 2],
    ] as const) {
      await clock.advance(waitMs);
      expect(await finder.find(failure, none)).toBe("The feed's token may not read it");
      expect(asked).toBe(total);
    }
    expect(lines.filter((line) => line.includes("may not read the logs"))).toHaveLength(1);
  });
});
