import type { FeedLog } from "../../feed/log.ts";
import { parseSince } from "../../schemas/since.ts";
import type { Cursor } from "../../schemas/cursor.ts";
import type { Place, Position } from "./position.ts";

type StartLog = Pick<FeedLog, "head" | "times" | "cursorAt">;

/** Where a delivery begins that has no position: where `from` says. */
export async function startOf(
  { name, from }: { readonly name: string; readonly from: string },
  log: StartLog,
): Promise<Position> {
  return { ...(await placeOf(name, from, log)), paused: null, circuit: null, replays: 0 };
}

async function placeOf(name: string, from: string, log: StartLog): Promise<Place> {
  const { epoch, sequence, floor } = await log.head();
  const { nowMs } = await log.times();
  if (from === "now") return { cursor: { epoch, sequence }, recordedAt: new Date(nowMs).toISOString() };
  if (from === "beginning") return { cursor: { epoch, sequence: floor }, recordedAt: null };
  const timeMs = parseSince(from, nowMs);
  if (timeMs === undefined) throw new Error(`${name} cannot begin from ${from}`);
  return placeAt(timeMs, log);
}

/** What was recorded since; where retention took some of it, reading on says so. */
export async function placeAt(timeMs: number, log: Pick<FeedLog, "cursorAt">): Promise<Place> {
  const cursor: Cursor = await log.cursorAt(timeMs);
  return { cursor, recordedAt: new Date(timeMs).toISOString() };
}
