import { describe, expect, it } from "vitest";
import { Reply } from "../../src/feed/redis/reply.ts";

const LOG = { where: "redis://127.0.0.1:6379", what: "ncf:meta" };
const SERVER = { ...LOG, what: "the answer to CLUSTER SLOTS", isOfServer: true };

describe("a list that Redis answered", () => {
  it("is read part by part", () => {
    const reply = new Reply(["a", "5", 6, null, Buffer.from("b"), ["c", "d"]], LOG);
    expect([reply.text(0, "name"), reply.integer(1, "text"), reply.integer(2, "number")]).toEqual([
      "a",
      5,
      6,
    ]);
    expect([
      reply.textOrNull(3, "none"),
      reply.textOrNull(9, "none"),
      reply.integerOrNull(3, "none"),
    ]).toEqual([null, null, null]);
    expect(reply.list(5, "inner").texts()).toEqual(["c", "d"]);
    expect(reply.list(5, "inner").fields()).toEqual(new Map([["c", "d"]]));
    expect(reply.lists("inner", 5).map((inner) => inner.texts(1))).toEqual([["d"]]);
    const bytes = Buffer.from("b");
    expect(new Reply([bytes, null], LOG).bytes()).toEqual([bytes, null]);
  });

  const read: [string, () => unknown][] = [
    ['the whole of ncf:meta should be a list and is "OK"', () => new Reply("OK", LOG)],
    ["part 2 of ncf:meta should be text and is 7", () => new Reply(["a", 7], LOG).texts()],
    ["part 1 of ncf:meta should be bytes and is 7", () => new Reply([7], LOG).bytes()],
    ['floor of ncf:meta should be an integer and is ""', () => new Reply([""], LOG).integer(0, "floor")],
    [
      'the whole of entry 1 in ncf:meta should be a list and is "x"',
      () => new Reply(["x"], LOG).lists("entry"),
    ],
  ];
  it.each(read)("is refused, and what is wrong with it named: %s", (says, act) => {
    expect(act).toThrow(
      expect.objectContaining({
        code: "LOG_UNUSABLE",
        message: `The log at ${LOG.where} is damaged: ${says}`,
      }),
    );
  });

  it("is no damage of the log where the server speaks of itself", () => {
    expect(() => new Reply([["0", "x"]], SERVER).lists("range")[0]?.integer(1, "last slot")).toThrow(
      expect.objectContaining({
        code: "LOG_UNUSABLE",
        message: `Redis at ${LOG.where} does not answer as Redis does: last slot of range 1 in the answer to CLUSTER SLOTS should be an integer and is "x"`,
      }),
    );
  });
});
