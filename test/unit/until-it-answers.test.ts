import { describe, expect, it } from "vitest";
import { untilItAnswers } from "../../src/bridge/until-it-answers.ts";
import { LogUnavailable, LogUnusable } from "../../src/feed/errors.ts";
import type { ChangefeedError } from "../../src/schemas/errors.ts";
import { recordingLogger } from "../support/recording-logger.ts";
import { TestClock } from "../support/test-clock.ts";

/** Something that is asked again and again, and fails until told otherwise. */
function asking(error: ChangefeedError = new LogUnavailable("nobody is there")) {
  const clock = new TestClock();
  const { logger, lines } = recordingLogger();
  const stop = new AbortController();
  const state = { asked: 0, answers: false };
  const done = untilItAnswers(
    async () => {
      state.asked += 1;
      if (!state.answers) throw error;
      return "here";
    },
    {
      logger,
      clock,
      random: () => 0.5,
      signal: stop.signal,
      isPassing: ({ retryable }) => retryable,
      say: (message) => `still trying: ${message}`,
    },
  );
  return { clock, lines, stop, state, done };
}

describe("what does not answer at the start", () => {
  it("is asked until it does, at most every five seconds, and told at once and every minute", async () => {
    const { clock, lines, state, done } = asking();
    await clock.advance(0);
    expect({ lines, asked: state.asked }).toEqual({ lines: ["still trying: nobody is there"], asked: 1 });
    await clock.advance(59_000);
    expect(lines).toHaveLength(1);
    expect(state.asked).toBeGreaterThan(12);
    await clock.advance(6_000);
    expect(lines).toHaveLength(2);
    state.answers = true;
    await clock.advance(5_000);
    expect(await done).toBe("here");
  });

  it("ends it where waiting helps nothing", async () => {
    const { state, done } = asking(new LogUnusable("of another cluster"));
    await expect(done).rejects.toThrow("of another cluster");
    expect(state.asked).toBe(1);
  });

  it("is asked no more once the start is given up", async () => {
    const { clock, stop, state, done } = asking();
    await clock.advance(0);
    stop.abort(new Error("given up"));
    await expect(done).rejects.toThrow("given up");
    expect(state.asked).toBe(1);
  });
});
