import { shortName } from "../../../words/names.ts";
import { isOver } from "../../../words/deployment.ts";
import { isSettled } from "../state/facts.ts";
import { text } from "../stubs.ts";
import { toneOfState, type Bar, type Lane, type Mark, type Tone } from "./lane.ts";
import { segmentsOf, type Segment, type Step, type Track } from "./track.ts";

/** The states of one object as bars; `marked` steps as marks. */
export function stateLane(
  track: Track,
  { field, label, noun, marked }: LaneWords & { readonly marked: (step: Step) => boolean },
): Lane {
  const bars = segmentsOf(track, field)
    .filter(({ value }) => value !== "")
    .map((segment) => stateBar(track, segment));
  const marks = track.steps.filter(marked).map(markOf);
  return { id: `${track.subject}:${field}`, label, noun, subject: track.subject, bars, marks };
}

interface LaneWords {
  readonly field: string;
  readonly label: string;
  readonly noun: string;
}

export function stateBar(track: Track, { fromMs, toMs, value, cursor }: Segment): Bar {
  return { fromMs, toMs, word: value, tone: toneNow(track, toMs, toneOfState(value)), cursor };
}

/** Red is for what is wrong now. */
function toneNow({ resource, stub }: Track, toMs: number | null, tone: Tone): Tone {
  const isNow = toMs === null && stub !== undefined && !isSettled(resource, stub);
  return tone === "bad" && isNow ? "wrong" : tone;
}

const WENT_WRONG =
  /failed|lost|unhealthy|oom|failure|down$|disconnected|exceeded|dead$|not_restarting|blocked$|evicted|preempted|auto_reverted/;

export function markOf({ ms, what, detail, cursor, signals }: Step): Mark {
  const words = detail === "" ? what : `${what}: ${detail}`;
  return { ms, words, cursor, shape: signals.some((signal) => WENT_WRONG.test(signal)) ? "cross" : "dot" };
}

/** All deployments of a job, one after the other, each named after its version and its end. */
export function deploymentLane(tracks: readonly Track[], label = "Deployments"): Lane {
  const bars: Bar[] = [];
  const marks: Mark[] = [];
  for (const track of tracks) {
    const segments = segmentsOf(track, "Status");
    const [first] = segments;
    const last = segments.at(-1);
    if (first === undefined || last === undefined) continue;
    const isOpen = !isOver(last.value);
    const version = track.stub === undefined ? "" : `v${text(track.stub, "JobVersion")}`;
    bars.push({
      fromMs: first.fromMs,
      toMs: isOpen ? null : last.fromMs,
      word: `${version} ${last.value}`,
      tone: isOpen ? "info" : toneOfState(last.value),
      cursor: first.cursor,
    });
    marks.push(
      ...track.steps
        .filter(({ signals }) => signals.length > 0)
        .map((step) => prefixed(version, markOf(step))),
    );
  }
  return {
    id: "deployments",
    label,
    noun: "deployments",
    bars: bars.toSorted((a, b) => a.fromMs - b.fromMs),
    marks: marks.toSorted((a, b) => a.ms - b.ms),
    ...(tracks.length === 1 && { subject: tracks[0]?.subject }),
  };
}

/** Evaluations as marks, by what triggered them; those that wait for room as bars. */
export function evaluationLane(tracks: readonly Track[]): Lane {
  const bars = tracks.flatMap((track) =>
    segmentsOf(track, "Status")
      .filter(({ value }) => value === "blocked")
      .map((segment): Bar => {
        return { ...stateBar(track, segment), tone: segment.toMs === null ? "wrong" : "wait" };
      }),
  );
  const marks = tracks.flatMap((track): Mark[] => {
    const { stub, steps, createdMs } = track;
    const [first] = steps;
    const ms = createdMs ?? first?.ms;
    if (stub === undefined || ms === undefined) return [];
    const status = text(stub, "Status");
    const words = `evaluation ${shortName(track.key)}: ${text(stub, "TriggeredBy")}, ${status}`;
    const hasFailed =
      status === "failed" || steps.some(({ signals }) => signals.some((name) => WENT_WRONG.test(name)));
    return [{ ms, words, cursor: first?.cursor ?? null, shape: hasFailed ? "cross" : "dot" }];
  });
  return {
    id: "evaluations",
    label: "Evaluations",
    noun: "evaluations",
    bars: bars.toSorted((a, b) => a.fromMs - b.fromMs),
    marks: marks.toSorted((a, b) => a.ms - b.ms),
  };
}

function prefixed(prefix: string, mark: Mark): Mark {
  return { ...mark, words: `${prefix} ${mark.words}` };
}
