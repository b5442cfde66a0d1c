import { describe, expect, it } from "vitest";
import { FairSlots, type Requester } from "../../src/http/access/fair-slots.ts";
import { UnknownTokens } from "../../src/http/access/unknown-tokens.ts";

const never = new AbortController().signal;

/** Work that ends when it is told to; `order` has what began, in order. */
function workshop(atOnce: number) {
  const slots = new FairSlots(atOnce);
  const order: string[] = [];
  const ends: (() => void)[] = [];
  const ask = (name: string, requester: Requester, signal = never) =>
    slots.run(requester, signal, () => {
      order.push(name);
      return new Promise<void>((resolve) => ends.push(resolve));
    });
  const finish = async (count: number): Promise<void> => {
    for (let done = 0; done < count; done += 1) {
      ends.shift()?.();
      await new Promise(setImmediate);
    }
  };
  return { ask, finish, order };
}
const of = (address: string): Requester => ({ address, known: false });
const KNOWN: Requester = { address: "", known: true };

describe("turns", () => {
  it("go to each address in turn, however many one of them wants", async () => {
    const { ask, finish, order } = workshop(1);
    const all = [1, 2, 3, 4].map((n) => ask(`a${n}`, of("a")));
    all.push(ask("b1", of("b")), ask("c1", of("c")), ask("c2", of("c")));
    await finish(7);
    await Promise.all(all);
    expect(order).toEqual(["a1", "a2", "b1", "c1", "a3", "c2", "a4"]);
  });

  it("are waited for by ten thousand in all, and by as many again when those had theirs", async () => {
    const slots = new FairSlots(1);
    const waitFor = (work: () => Promise<void>) => slots.run(KNOWN, new AbortController().signal, work);
    for (let round = 0; round < 2; round += 1) {
      const held = Promise.withResolvers<void>();
      const all = [waitFor(() => held.promise)];
      for (let n = 0; n < 10_000; n += 1) all.push(waitFor(() => Promise.resolve()));
      await expect(waitFor(() => Promise.resolve())).rejects.toMatchObject({ code: "AUTH_UNAVAILABLE" });
      held.resolve();
      await Promise.all(all);
    }
  });

  it("go first to tokens that were good, and still to others now and then", async () => {
    const { ask, finish, order } = workshop(1);
    const all = [ask("first", of("a")), ask("stranger", of("a")), ask("another", of("b"))];
    all.push(...[1, 2, 3, 4, 5].map((n) => ask(`known ${n}`, KNOWN)));
    await finish(8);
    await Promise.all(all);
    expect(order).toEqual([
      "first",
      "known 1",
      "known 2",
      "known 3",
      "stranger",
      "known 4",
      "known 5",
      "another",
    ]);
  });

  it("are as many at once as there are, and are given back also by what fails", async () => {
    const slots = new FairSlots(2);
    const failing = () => Promise.reject(new Error("no answer"));
    for (let n = 0; n < 3; n += 1)
      await expect(slots.run(of("a"), never, failing)).rejects.toThrow("no answer");
    const { ask, finish, order } = workshop(2);
    const all = ["1", "2", "3"].map((name) => ask(name, of("a")));
    expect(order).toEqual(["1", "2"]);
    await finish(3);
    await Promise.all(all);
    expect(await slots.run(of("a"), never, async () => "done")).toBe("done");
  });

  it("are waited for by fifty of one address, and that takes nothing from another", async () => {
    const { ask, finish, order } = workshop(1);
    const all = Array.from({ length: 51 }, () => ask("a", of("a")));
    await expect(ask("a", of("a"))).rejects.toMatchObject({ code: "LIMIT" });
    all.push(ask("b", of("b")), ask("known", KNOWN));
    await finish(53);
    await Promise.all(all);
    expect(order.indexOf("b")).toBeLessThan(4);
  });

  it("are not waited for longer than the signal says, and leave nothing behind", async () => {
    const { ask, finish, order } = workshop(1);
    const first = ask("first", of("a"));
    const abort = new AbortController();
    const late = ask("late", of("a"), abort.signal);
    const gone = ask("gone already", of("b"), AbortSignal.abort());
    await expect(gone).rejects.toMatchObject({ code: "AUTH_UNAVAILABLE" });
    abort.abort();
    await expect(late).rejects.toMatchObject({ code: "AUTH_UNAVAILABLE" });
    const last = ask("last", of("a"));
    await finish(2);
    await Promise.all([first, last]);
    expect(order).toEqual(["first", "last"]);
  });
});

describe("unknown tokens", () => {
  it("are remembered for ten seconds", () => {
    let elapsedMs = 0;
    const unknown = new UnknownTokens({ elapsed: () => elapsedMs });
    unknown.add("a");
    elapsedMs = 9999;
    expect([unknown.has("a"), unknown.has("b")]).toEqual([true, false]);
    elapsedMs = 10_000;
    expect(unknown.has("a")).toBe(false);
  });

  it("are ten thousand at most, the newest", () => {
    const unknown = new UnknownTokens({ elapsed: () => 0 });
    for (let n = 0; n < 10_500; n += 1) unknown.add(String(n));
    expect([unknown.has("499"), unknown.has("500"), unknown.has("10499")]).toEqual([false, true, true]);
    unknown.add("500");
    unknown.add("new");
    expect([unknown.has("500"), unknown.has("501")]).toEqual([true, false]);
  });
});
