import type { Connection } from "../sqlite/connection.ts";
import type { Newest } from "./newest.ts";

/** Frames that Nomad had and the log has not: those behind `after`, before `before`. */
export interface FrameGap {
  readonly after: number;
  readonly before: number;
}

/** Where a reader begins. */
export interface FrameStart {
  /** Sequence behind which it reads. */
  readonly after: number;
  /** What it misses, as far as that is known. */
  readonly gaps: readonly FrameGap[];
}

/** The ends of the log. */
interface Ends {
  readonly newest: Newest;
  /** Sequence of the oldest frame that is kept. */
  readonly oldest: number;
}

/** How many frames Nomad's own buffer has, if nobody configured it: `event_buffer_size`. */
const NOMAD_BUFFER = 100;

/** As Nomad begins without an index: with the frames that its buffer would hold, or with the oldest of all. */
export function startOldest(connection: Connection, { oldest }: Ends, what: "buffer" | "all"): FrameStart {
  if (what === "all") return { after: oldest - 1, gaps: [] };
  const before = connection.get(
    "SELECT sequence FROM frames WHERE extra = 0 ORDER BY sequence DESC LIMIT 1 OFFSET ?",
    [NOMAD_BUFFER],
  );
  return { after: before?.integer("sequence") ?? oldest - 1, gaps: [] };
}

/**
 * As Nomad begins with one: with the first frame of that index, or else the next one, or else the last there is. An
 * index that only a history before reached leads to the first frame after it. `withExtra`: for a reader who takes
 * frames that are not Nomad's. `index` of the answer: where it begins in the newest history.
 */
export function startAt(
  connection: Connection,
  ends: Ends,
  { index, withExtra }: { readonly index: number; readonly withExtra: boolean },
): FrameStart & { readonly index: number } {
  const { history, ofNomad } = ends.newest;
  const sequenceOf = (where: string, values: readonly number[]) =>
    connection.get(`SELECT sequence FROM frames WHERE ${where}`, values)?.integer("sequence");
  const from = (which: string) =>
    sequenceOf(`${which} AND history = ? AND raft_index >= ? ORDER BY raft_index, sequence LIMIT 1`, [
      history,
      index,
    ]);
  const starts = [from("extra = 0"), withExtra ? from("extra = 1") : undefined];
  const next = Math.min(...starts.filter((start) => start !== undefined));
  if (Number.isFinite(next))
    return { after: next - 1, gaps: gapsFrom(connection, ends, { index, next }), index };
  const wasReached = sequenceOf("extra = 0 AND history < ? AND raft_index >= ? LIMIT 1", [history, index]);
  if (wasReached === undefined) return { after: Math.max(0, ofNomad.sequence - 1), gaps: [], index };
  const first = sequenceOf("history = ? ORDER BY sequence LIMIT 1", [history]) ?? ofNomad.sequence;
  return { after: first - 1, gaps: gapsFrom(connection, ends, { index: 0, next: first }), index: 0 };
}

function gapsFrom(
  connection: Connection,
  { newest: { history }, oldest }: Ends,
  { index, next }: { readonly index: number; readonly next: number },
): FrameGap[] {
  const kept = connection.all(
    "SELECT gap_after, raft_index FROM frames WHERE history = ? AND raft_index > ? AND gap_after IS NOT NULL ORDER BY sequence",
    [history, index],
  );
  const gaps = kept.map((row) => ({
    after: Math.max(index, row.integer("gap_after")),
    before: row.integer("raft_index"),
  }));
  if (next !== oldest) return gaps;
  const begins = connection
    .get("SELECT raft_index FROM frames WHERE sequence = ?", [oldest])
    ?.integer("raft_index");
  // Whether there were frames in between is not known any more.
  return begins !== undefined && begins > index
    ? [{ after: index, before: begins }, ...gaps.slice(gaps[0]?.before === begins ? 1 : 0)]
    : gaps;
}
