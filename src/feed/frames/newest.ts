import type { Connection } from "../sqlite/connection.ts";

/** Where the log of frames ends. */
export interface Newest {
  /** Of the newest frame; 0 where there never was one. */
  readonly sequence: number;
  readonly history: number;
  /** The highest of the history. */
  readonly index: number;
  /** The newest frame of Nomad's own. */
  readonly ofNomad: { readonly sequence: number; readonly index: number };
}

export function newestIn(connection: Connection): Newest {
  const last = connection.get("SELECT sequence, history FROM frames ORDER BY sequence DESC LIMIT 1");
  const ofNomad = connection.get(
    "SELECT sequence, raft_index FROM frames WHERE extra = 0 ORDER BY sequence DESC LIMIT 1",
  );
  if (last === undefined || ofNomad === undefined)
    return { sequence: 0, history: 0, index: 0, ofNomad: { sequence: 0, index: 0 } };
  const history = last.integer("history");
  const highest = connection.get("SELECT max(raft_index) AS highest FROM frames WHERE history = ?", [
    history,
  ]);
  return {
    sequence: last.integer("sequence"),
    history,
    index: highest?.integer("highest") ?? 0,
    ofNomad: { sequence: ofNomad.integer("sequence"), index: ofNomad.integer("raft_index") },
  };
}

/** Behind a frame of Nomad's, whose index went back where another history begins. */
export function behindNomads(newest: Newest, index: number): Newest {
  const isBack = index < newest.ofNomad.index;
  const sequence = newest.sequence + 1;
  return {
    sequence,
    history: newest.history + (isBack ? 1 : 0),
    index: isBack ? index : Math.max(index, newest.index),
    ofNomad: { sequence, index },
  };
}

/** Behind a frame that is not Nomad's, seen at `index`: it never stands lower than one before it. */
export function behindExtra(newest: Newest, index: number): Newest {
  return { ...newest, sequence: newest.sequence + 1, index: Math.max(index, newest.index) };
}
