import type { Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { addressOf, Limits } from "../../src/http/access/limits.ts";

const from = (remoteAddress: string) => ({ remoteAddress }) as Socket;

describe("what counts as one address", () => {
  it.each([
    ["192.0.2.7", "192.0.2.7"],
    ["::ffff:192.0.2.7", "192.0.2.7"],
    ["::FFFF:192.0.2.7", "192.0.2.7"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
    ["2001:db8:1:2::6", "2001:db8:1:2"],
    ["2001:db8::6", "2001:db8:0:0"],
    ["2001:db8:1:2:3::", "2001:db8:1:2"],
    ["::1", "0:0:0:0"],
  ])("%s is %s", (remoteAddress, expected) => {
    expect(addressOf(from(remoteAddress))).toBe(expected);
  });
});

describe("requests of an address", () => {
  const asking = (rate: number) => {
    let elapsedMs = 0;
    const limits = new Limits({ requestsPerSecond: rate }, () => elapsedMs);
    /** How many of `count` are let through. */
    const ask = (count: number, address = "192.0.2.7") => {
      let through = 0;
      for (let n = 0; n < count; n += 1) {
        try {
          limits.assertWithin({ url: "/", socket: from(address) });
          through += 1;
        } catch {
          // Refused.
        }
      }
      return through;
    };
    return { ask, pass: (ms: number) => (elapsedMs += ms) };
  };

  it("are two seconds' worth at once, and then as time goes", () => {
    const { ask, pass } = asking(10);
    expect(ask(100)).toBe(20);
    pass(500);
    expect(ask(100)).toBe(5);
    pass(99);
    expect(ask(1)).toBe(0);
    pass(1);
    expect(ask(2)).toBe(1);
  });

  it("save up no more than that, however long they were silent", () => {
    const { ask, pass } = asking(10);
    ask(20);
    pass(3_600_000);
    expect(ask(100)).toBe(20);
  });

  it("are counted for each address by itself, and a /64 is one", () => {
    const { ask } = asking(1);
    expect([ask(5), ask(5, "192.0.2.8")]).toEqual([2, 2]);
    expect([ask(5, "2001:db8::1"), ask(5, "2001:db8::2")]).toEqual([2, 0]);
  });

  it("have a URL of 8 KiB at most", () => {
    const limits = new Limits({}, () => 0);
    const url = (bytes: number) => ({ url: "ü".repeat(bytes / 2), socket: from("192.0.2.7") });
    expect(() => limits.assertWithin(url(8192))).not.toThrow();
    expect(() => limits.assertWithin(url(8194))).toThrow("The URL is longer than 8192 bytes");
  });
});
