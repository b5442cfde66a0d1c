import { EventEmitter } from "node:events";
import type { ServerResponse } from "node:http";
import { expect, it } from "vitest";
import { endWhereUnread } from "../../src/http/unread.ts";
import { until } from "../support/until.ts";

function response(): { raw: ServerResponse; isDestroyed: () => boolean } {
  let isDestroyed = false;
  const raw = Object.assign(new EventEmitter(), { destroy: () => (isDestroyed = true) });
  return { raw: raw as unknown as ServerResponse, isDestroyed: () => isDestroyed };
}

it("ends a connection whose answer nobody takes, and no other", async () => {
  const unread = response();
  const taken = response();
  const underWay = response();
  for (const { raw } of [unread, taken, underWay]) endWhereUnread(raw, 5);
  taken.raw.emit("prefinish");
  taken.raw.emit("finish");
  unread.raw.emit("prefinish");
  await until("the unread one is ended", unread.isDestroyed);
  expect([taken.isDestroyed(), underWay.isDestroyed()]).toEqual([false, false]);
});
