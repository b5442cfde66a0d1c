import { expect, it } from "vitest";
import { endWhereUnread } from "../../src/http/unread.ts";
import { responseOf } from "../support/http-messages.ts";
import { TestClock } from "../support/test-clock.ts";

it("ends a connection whose answer nobody takes, and no other", async () => {
  const clock = new TestClock();
  const [unread, taken, underWay] = [responseOf(), responseOf(), responseOf()];
  for (const response of [unread, taken, underWay]) endWhereUnread(response, 60_000, clock);
  taken.emit("prefinish");
  taken.emit("finish");
  unread.emit("prefinish");
  const destroyed = () => [unread, taken, underWay].map((response) => response.destroyed);
  await clock.advance(59_999);
  expect(destroyed()).toEqual([false, false, false]);
  await clock.advance(1);
  expect(destroyed()).toEqual([true, false, false]);
});
