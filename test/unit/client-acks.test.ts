import { afterEach, expect, it, vi } from "vitest";
import { consumeOver } from "../../packages/client/src/consume.ts";

afterEach(() => vi.restoreAllMocks());

const neverOpened = () => {
  throw new Error("an ack needs no stream");
};

it("stores what is acked at whatever moment of the ack before", async () => {
  const stored: string[] = [];
  vi.spyOn(globalThis, "fetch").mockImplementation((url) => {
    const { searchParams } = new URL(url instanceof Request ? url.url : url);
    const cursor = searchParams.get("ack") ?? "";
    stored.push(cursor);
    return Promise.resolve(Response.json({ cursor }));
  });
  for (let steps = 0; steps < 100; steps++) {
    const consumption = consumeOver(neverOpened)({ url: "http://127.0.0.1:1", consumer: "me" });
    const first = consumption.ack(`${steps}-1`);
    for (let step = 0; step < steps; step++) await Promise.resolve();
    await consumption.ack(`${steps}-2`);
    await first;
    expect(stored.at(-1)).toBe(`${steps}-2`);
  }
});
