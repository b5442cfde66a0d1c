import { expect, it } from "vitest";
import { ConsumerAcks } from "../../src/publishers/connection/consumer-acks.ts";
import { formatCursor } from "../../src/schemas/cursor.ts";
import { TestClock } from "../support/test-clock.ts";

const at = (sequence: number) => ({ epoch: "0123456789abcdef", sequence });

it("of acks that come while one is stored, the furthest counts, in whatever order they come", async () => {
  const clock = new TestClock();
  const stored: number[] = [];
  const slow = Promise.withResolvers<void>();
  const put = async (name: string, cursor: { epoch: string; sequence: number }) => {
    stored.push(cursor.sequence);
    await slow.promise;
    return { name, cursor, updatedAt: "", lastError: null, owner: null };
  };
  const acks = new ConsumerAcks({ put }, "shipper", clock);
  acks.reached(at(9));
  const all = [1, 7, 3].map((sequence) => acks.ack(formatCursor(at(sequence))));
  slow.resolve();
  await clock.finish(Promise.all(all));
  expect(stored).toEqual([1, 7]);
});
