/** How a stretch of time is drawn. `bad` is what was wrong and is over; `wrong` is wrong now. */
export type Tone = "ok" | "wait" | "off" | "info" | "bad" | "wrong";

/** A stretch of time in a lane. */
export interface Bar {
  readonly fromMs: number;
  /** Null: until now. */
  readonly toMs: number | null;
  readonly word: string;
  readonly tone: Tone;
  /** Of the event that began it, where it is known. */
  readonly cursor: string | null;
}

/** Something that happened at a moment. */
export interface Mark {
  readonly ms: number;
  readonly words: string;
  /** `cross` is for what went wrong, `diamond` for placements, `dot` for the rest. */
  readonly shape: "dot" | "cross" | "diamond";
  readonly cursor: string | null;
}

/** A line of the timeline: one thing over time. */
export interface Lane {
  readonly id: string;
  readonly label: string;
  /** What kind of thing it is of: "task". */
  readonly noun: string;
  /** The object that the label leads to. */
  readonly subject?: string | undefined;
  readonly bars: readonly Bar[];
  readonly marks: readonly Mark[];
}

const TONES: Readonly<Record<string, Tone>> = {
  running: "ok",
  ready: "ok",
  successful: "ok",
  complete: "off",
  dead: "off",
  canceled: "off",
  cancelled: "off",
  failed: "bad",
  lost: "bad",
  down: "bad",
  disconnected: "bad",
  unknown: "bad",
};

/** Of one of Nomad's states; what waits for something is neither good nor bad. */
export function toneOfState(state: string): Tone {
  return TONES[state] ?? "wait";
}
