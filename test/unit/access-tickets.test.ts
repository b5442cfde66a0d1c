import { beforeEach, describe, expect, it } from "vitest";
import { Tickets } from "../../src/http/access/tickets.ts";

let elapsedMs: number;
let tickets: Tickets;
beforeEach(() => {
  elapsedMs = 0;
  tickets = new Tickets({ nowMs: () => 1_000_000, elapsedMs: () => elapsedMs });
});

describe("a ticket", () => {
  it("stands for its token, once", () => {
    const { ticket, expiresAtMs } = tickets.issue("t");
    expect(expiresAtMs).toBe(1_030_000);
    expect(tickets.redeem(ticket)).toBe("t");
    expect(() => tickets.redeem(ticket)).toThrow("The ticket is not good");
  });

  it("is not good at the end of half a minute, nor is one that never was", () => {
    const { ticket } = tickets.issue(undefined);
    elapsedMs = 29_999;
    expect(tickets.redeem(ticket)).toBeUndefined();
    const late = tickets.issue("t").ticket;
    elapsedMs += 30_000;
    expect(() => tickets.redeem(late)).toThrow("The ticket is not good");
    expect(() => tickets.redeem("made up")).toThrow("The ticket is not good");
  });

  it("is one of ten thousand at most; those that are too old make room", () => {
    const [first] = Array.from({ length: 10_000 }, () => tickets.issue("t"));
    expect(() => tickets.issue("t")).toThrow("Too many tickets wait to be used");
    tickets.redeem(first?.ticket ?? "");
    tickets.issue("t");
    expect(() => tickets.issue("t")).toThrow("Too many tickets wait to be used");
    elapsedMs = 30_000;
    expect(tickets.issue("t").ticket).toHaveLength(43);
  });
});
