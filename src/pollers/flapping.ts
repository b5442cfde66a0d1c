import { diffJson } from "../events/json-diff.ts";
import type { Change } from "../schemas/change.ts";
import { createIndexOf, revOf, subjectOf, type ObjectRef } from "../schemas/resources.ts";
import { withObjectsOf, type Snapshot } from "../snapshots/snapshot.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Clock } from "../shared/clock.ts";
import { inSlices } from "./in-slices.ts";
import type { Observation } from "./observe.ts";

type Update = Change & { readonly op: "update" };

/** What was told may be taken back within so many polls to count as flapping. */
const FEW_POLLS = 10;
/** What stays the same for so long, and over so many polls, has come to rest. */
const REST_MS = 120_000;
const REST_POLLS = 4;

/** Some paths that come and go together. */
interface Flap {
  /** What of them differs at this poll from what was told, by object. */
  seen: ReadonlyMap<string, string>;
  sinceMs: number;
  polls: number;
}

/**
 * Keeps back what comes and goes with the server that answers. While a cluster's servers are of two versions, one
 * knows a field of a stub that another does not, and a balancer asks now this one, now that one. The object's rev
 * stays. Told one by one, such changes would undo each other for hours. So where an update of the same rev is taken
 * back within a few polls, its paths are held as they were told: for every object, until they have come to rest.
 *
 *     told ─▶ taken back soon, rev unchanged ─▶ held ─▶ unchanged for two minutes ─▶ told as it is then
 */
export class Flapping {
  readonly #clock: Clock;
  readonly #logger: Logger;
  /** What was told lately of objects whose rev had not moved, by object. */
  readonly #told = new Map<string, { readonly change: string; readonly poll: number }>();
  readonly #flaps = new Map<string, Flap>();
  #poll = 0;

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  /** The observation without what is held: neither in its changes nor in its list. */
  async sift(
    observation: Observation,
    previous: Snapshot,
    pause: { onMove: () => void; signal: AbortSignal },
  ): Promise<Observation> {
    this.#poll++;
    for (const [subject, { poll }] of this.#told)
      if (this.#poll - poll > FEW_POLLS) this.#told.delete(subject);
    if (observation.restored !== null) {
      this.#told.clear();
      this.#flaps.clear();
      return observation;
    }
    const held = this.#holdBack(observation.changes);
    if (held.size === 0) return observation;
    const changes = observation.changes.filter((change) => !held.has(change));
    // With nothing else new the list that was told is as good as this one.
    if (changes.length === 0) return { ...observation, changes, next: previous };
    const refs = [...held].map(({ ref }) => ref);
    const next = await inSlices(withObjectsOf(observation.next, previous, refs), {
      clock: this.#clock,
      ...pause,
    });
    return { ...observation, changes, next };
  }

  #holdBack(changes: readonly Change[]): ReadonlySet<Change> {
    const now = new Map([...this.#flaps.keys()].map((paths) => [paths, new Map<Update, string>()]));
    const others = new Set<string>();
    for (const change of changes) {
      const subject = subjectOf(change.ref);
      if (!isQuiet(change)) {
        others.add(subject);
        continue;
      }
      const { paths, text, reverse, comesOrGoes } = described(change);
      if (!comesOrGoes) {
        others.add(subject);
        continue;
      }
      if (!this.#flaps.has(paths) && this.#told.get(subject)?.change === reverse) {
        this.#begin(paths, change.ref);
        now.set(paths, new Map());
      }
      if (this.#flaps.has(paths)) now.get(paths)?.set(change, text);
      else this.#told.set(subject, { change: text, poll: this.#poll });
    }
    const held = new Set<Change>();
    for (const [paths, found] of now) {
      if (this.#restsNow(paths, found, others)) continue;
      for (const change of found.keys()) held.add(change);
    }
    return held;
  }

  #begin(paths: string, ref: ObjectRef): void {
    const fields = paths.split("\n");
    const said = { fields: fields.slice(0, 10), object: subjectOf(ref) };
    const line = "fields come and go while no index moves, as when servers of two versions answer in turn";
    this.#logger[this.#flaps.size === 0 ? "warn" : "debug"](
      said,
      `${line}; ignoring these fields until they are steady`,
    );
    this.#flaps.set(paths, { seen: new Map(), sinceMs: this.#clock.elapsed(), polls: 0 });
  }

  /** Takes note of what differs at this poll from what was told, and ends the flap where it has come to rest. */
  #restsNow(paths: string, found: ReadonlyMap<Update, string>, others: ReadonlySet<string>): boolean {
    const flap = this.#flaps.get(paths) as Flap;
    const seen = new Map([...found].map(([{ ref }, text]) => [subjectOf(ref), text]));
    const moved =
      [...seen].some(([subject, text]) => flap.seen.get(subject) !== text) ||
      [...flap.seen.keys()].some((subject) => !seen.has(subject) && !others.has(subject));
    flap.seen = seen;
    if (moved) {
      flap.sinceMs = this.#clock.elapsed();
      flap.polls = 0;
      return false;
    }
    flap.polls++;
    if (flap.polls < REST_POLLS || this.#clock.elapsed() - flap.sinceMs < REST_MS) return false;
    this.#flaps.delete(paths);
    if (this.#flaps.size === 0)
      this.#logger.info({ objects: seen.size }, "fields that came and went are steady again");
    return true;
  }
}

/** Whether an object changed and its rev did not. */
export function isQuiet(change: Change): change is Update {
  if (change.op !== "update") return false;
  const { before, after } = change;
  return (
    revOf(before.value) === revOf(after.value) && createIndexOf(before.value) === createIndexOf(after.value)
  );
}

/**
 * The paths of an update, what it does to them, and what would take that back. A value that becomes another is nothing
 * that a server does not know: it changed, maybe as a restore took it back.
 */
function described({ before, after }: Update): {
  paths: string;
  text: string;
  reverse: string;
  comesOrGoes: boolean;
} {
  const forward = diffJson(before.value, after.value);
  const back = diffJson(after.value, before.value);
  const textOf = (changes: typeof forward): string =>
    changes
      .map((change) => JSON.stringify(change))
      .toSorted()
      .join("\n");
  const paths = [...new Set(forward.map(({ path }) => path))].toSorted().join("\n");
  const comesOrGoes = forward.every(({ from, to }) => from === undefined || to === undefined);
  return { paths, text: textOf(forward), reverse: textOf(back), comesOrGoes };
}
