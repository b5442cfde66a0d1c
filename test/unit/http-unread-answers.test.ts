import { EventEmitter } from "node:events";
import { describe, expect, it } from "vitest";
import { UnreadAnswers } from "../../src/http/unread-answers.ts";

const MIB = 1024 * 1024;

function answer() {
  return Object.assign(new EventEmitter(), { closed: false });
}

describe("pages that nobody reads", () => {
  it("hold 16 MiB together, however many they are", () => {
    const unread = new UnreadAnswers();
    const budgets = Array.from({ length: 2000 }, () => unread.budgetForPage(answer()).maxBytes);
    expect(budgets[0]).toBe(MIB);
    expect(budgets.at(-1)).toBeLessThan(1024);
    const sum = budgets.reduce((total, bytes) => total + bytes, 0);
    expect(sum).toBeLessThanOrEqual(16 * MIB);
    expect(sum).toBeGreaterThan(15 * MIB);
  });

  it.each(["finish", "close"])("give their room back at the answer's %s, once", (end) => {
    const unread = new UnreadAnswers();
    const first = answer();
    unread.budgetForPage(first);
    const { maxBytes } = unread.budgetForPage(answer());
    expect(maxBytes).toBe((15 * MIB) / 16);
    first.emit(end);
    first.emit("close");
    expect(unread.budgetForPage(answer()).maxBytes).toBe((16 * MIB - maxBytes) / 16);
  });

  it("count as what they hold once they are made, and not at all where nobody waits for them", () => {
    const unread = new UnreadAnswers();
    unread.budgetForPage(answer()).settle(0);
    const gone = answer();
    const late = unread.budgetForPage(gone);
    gone.emit("close");
    late.settle(5 * MIB);
    unread.budgetForPage(Object.assign(answer(), { closed: true }));
    expect(unread.budgetForPage(answer()).maxBytes).toBe(MIB);
  });
});

describe("answers that cannot be shorter", () => {
  it("are refused past 64 MiB with when to ask again, until one is taken", () => {
    const unread = new UnreadAnswers();
    const first = answer();
    unread.holdWhole(first, 40 * MIB);
    unread.holdWhole(answer(), 24 * MIB);
    expect(() => unread.holdWhole(answer(), 1)).toThrow(
      expect.objectContaining({ code: "LIMIT", retryAfterSeconds: 5 }),
    );
    first.emit("finish");
    unread.holdWhole(answer(), 40 * MIB);
  });

  it("are given however large they are where they are alone", () => {
    const unread = new UnreadAnswers();
    expect(() => unread.holdWhole(answer(), 100 * MIB)).not.toThrow();
  });
});
