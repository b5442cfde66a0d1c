import { EventEmitter } from "node:events";
import type { ServerResponse } from "node:http";
import { expect, it } from "vitest";
import { endWhereUnread } from "../../src/http/unread.ts";
import { TestClock } from "../support/test-clock.ts";

function response(): { raw: ServerResponse; isDestroyed: () => boolean } {
  let isDestroyed = false;
  const raw = Object.assign(new EventEmitter(), { destroy: () => (isDestroyed = true) });
  return { raw: raw as unknown as ServerResponse, isDestroyed: () => isDestroyed };
}

it("ends a connection whose answer nobody takes, and no other", async () => {
  const clock = new TestClock();
  const unread = response();
  const taken = response();
  const underWay = response();
  for (const { raw } of [unread, taken, underWay]) endWhereUnread(raw, 60_000, clock);
  taken.raw.emit("prefinish");
  taken.raw.emit("finish");
  unread.raw.emit("prefinish");
  const destroyed = () => [unread, taken, underWay].map(({ isDestroyed }) => isDestroyed());
  await clock.advance(59_999);
  expect(destroyed()).toEqual([false, false, false]);
  await clock.advance(1);
  expect(destroyed()).toEqual([true, false, false]);
});
