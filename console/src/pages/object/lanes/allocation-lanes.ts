import { shortName } from "../../../words/names.ts";
import { text } from "../stubs.ts";
import type { Bar, Lane, Mark } from "./lane.ts";
import { markOf, stateBar } from "./object-lanes.ts";
import { segmentsOf, type Track } from "./track.ts";

/** A lane for each name that allocations have: those of one name follow each other. */
export function allocationLanes(tracks: readonly Track[]): Lane[] {
  const byName = Map.groupBy(tracks, nameOf);
  return [...byName]
    .toSorted(([a], [b]) => a.localeCompare(b, "en", { numeric: true }))
    .map(([name, ofName]) => laneOf(name, ofName));
}

function nameOf({ stub, namespace, key }: Track): string {
  return stub === undefined ? key : `${text(stub, "Name")} ${namespace}`;
}

function laneOf(name: string, tracks: readonly Track[]): Lane {
  const inOrder = tracks.toSorted((a, b) => startOf(a) - startOf(b));
  const newest = inOrder.at(-1);
  return {
    id: `allocations:${name}`,
    label: newest?.stub === undefined ? shortName(name) : text(newest.stub, "Name"),
    noun: "allocations",
    subject: newest?.subject,
    bars: inOrder.flatMap((track, at) => barsOf(track, inOrder[at + 1])),
    marks: inOrder.flatMap(marksOf).toSorted((a, b) => a.ms - b.ms),
  };
}

/** What has ended is shown until another one takes its place. */
function barsOf(track: Track, next: Track | undefined): Bar[] {
  const nextMs = next === undefined ? Infinity : startOf(next);
  return segmentsOf(track, "ClientStatus").flatMap((segment): Bar[] => {
    const bar = stateBar(track, segment);
    const hasEnded = bar.tone === "off" || bar.tone === "bad" || bar.tone === "wrong";
    if (!hasEnded || nextMs === Infinity) return [bar];
    if (nextMs <= bar.fromMs) return [];
    const tone = bar.tone === "wrong" ? "bad" : bar.tone;
    return [{ ...bar, tone, toMs: Math.min(bar.toMs ?? Infinity, nextMs) }];
  });
}

const TOLD = /failed|lost|restarted|oom|stop_requested|unhealthy|evicted|preempted|reconnected|unknown/;

function marksOf(track: Track): Mark[] {
  const placedMs = track.createdMs;
  const id = shortName(track.key);
  const node = track.stub === undefined ? "" : text(track.stub, "NodeName");
  const version = track.stub === undefined ? "" : text(track.stub, "JobVersion");
  const placed: Mark[] =
    placedMs === undefined
      ? []
      : [
          {
            ms: placedMs,
            words: `${id} placed on ${node}, version ${version}`,
            shape: "diamond",
            cursor: track.steps.find(({ op }) => op === "create")?.cursor ?? null,
          },
        ];
  const told = track.steps
    .filter(({ signals }) => signals.some((signal) => TOLD.test(signal)))
    .map((step) => ({ ...markOf(step), words: `${id} ${markOf(step).words}` }));
  return [...placed, ...told];
}

function startOf(track: Track): number {
  return track.createdMs ?? track.steps[0]?.ms ?? -Infinity;
}
