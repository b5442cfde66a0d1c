import { describe, expect, it } from "vitest";
import type { SendResult } from "../../src/publishers/delivery/destination.ts";
import { Line } from "../../src/publishers/delivery/line.ts";
import { Sends } from "../../src/publishers/delivery/send.ts";
import { TestClock } from "../support/test-clock.ts";

describe("sends at the same time", () => {
  it("each have their own time to be answered, also behind one that was answered", async () => {
    const { clock, sends, begin, ended } = rig();
    using _ = sends;
    const answered = begin("a", (resolve) => resolve({ outcome: "ok" }));
    const late = [begin("b")];
    await clock.advance(400);
    late.push(begin("c"));
    await clock.advance(599);
    expect(ended).toEqual(["a ok"]);
    await clock.advance(1);
    expect(ended).toEqual(["a ok", "b aborted", "b no answer within 1 s"]);
    await clock.advance(399);
    expect(ended).toHaveLength(3);
    await clock.advance(1);
    expect(ended.slice(3)).toEqual(["c aborted", "c no answer within 1 s"]);
    await Promise.all([answered, ...late]);
  });

  it("hear of their own end only, whoever had the signal before", async () => {
    const { clock, sends, begin, ended } = rig();
    using _ = sends;
    await begin("a", (resolve) => resolve({ outcome: "ok" }));
    const signals: AbortSignal[] = [];
    const unheeding = (signal: AbortSignal) => {
      signals.push(signal);
      return Promise.resolve<SendResult>({ outcome: "ok" });
    };
    await sends.once(unheeding);
    await sends.once(unheeding);
    expect(signals[0]).toBe(signals[1]);
    const late = begin("b");
    await clock.advance(1000);
    await late;
    await sends.once(unheeding);
    expect(ended).toEqual(["a ok", "b aborted", "b no answer within 1 s"]);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true, false]);
  });

  it("end without an answer when they are told to stop, and none begins after that", async () => {
    const { clock, sends, stop, begin, ended } = rig();
    using _ = sends;
    const both = [begin("a"), begin("b")];
    stop.abort(new Error("stopped"));
    await Promise.all([...both, begin("c")]);
    expect(ended.toSorted()).toEqual(["a aborted", "a unknown", "b aborted", "b unknown", "c unknown"]);
    await clock.advance(2000);
    expect(ended).toHaveLength(5);
  });
});

it("a line stays in order, whoever leaves it", () => {
  const line = new Line<number>();
  let expected: number[] = [];
  for (let n = 0; n < 6000; n += 1) {
    line.add(n);
    expected.push(n);
    // Those at the front go, and now and then one behind them; one stays for long.
    const leaving = expected[n % 7 === 0 || expected[0] === 3000 ? 1 : 0];
    if (leaving !== undefined && n >= 100) line.remove(leaving);
    if (n >= 100) expected = expected.filter((member) => member !== leaving);
    expect(line.first).toBe(expected[0]);
  }
  expect([line.first, line.length]).toEqual([expected[0], expected.length]);
  expect([...line]).toEqual(expected);
});

function rig() {
  const clock = new TestClock();
  const stop = new AbortController();
  const sends = new Sends({ clock, timeoutMs: 1000, stop: stop.signal });
  const ended: string[] = [];
  const begin = async (
    name: string,
    act: (resolve: (result: SendResult) => void) => void = () => undefined,
  ) => {
    const result = await sends.once((signal) => {
      signal.addEventListener("abort", () => ended.push(`${name} aborted`));
      return new Promise<SendResult>(act);
    });
    ended.push(
      `${name} ${result === undefined ? "unknown" : "reason" in result ? result.reason : result.outcome}`,
    );
  };
  return { clock, stop, sends, ended, begin };
}
