import { seesAll } from "../../publishers/selection/access.ts";
import { readInSlices } from "../../publishers/work/read-scheduler.ts";
import { formatCursor } from "../../schemas/cursor.ts";
import { isJsonObject, type Json, type JsonObject } from "../../schemas/json.ts";
import { RESOURCES, subjectOf, type ObjectRef } from "../../schemas/resources.ts";
import { eventFact } from "./event-fact.ts";
import { named, type EventFact, type Facts, type ObjectFact } from "./facts.ts";
import type { GatherParts } from "./gather-parts.ts";
import { linksOf } from "./links.ts";
import { Neighbours } from "./neighbours.ts";

/** Objects of one answer, and how many links they are away from the subject at most. */
const MAX_OBJECTS = 40;
const MAX_LINKS = 3;
/** Events of each object: its newest. */
const MAX_EVENTS = 20;

/**
 * What the log and the state hold around an object, as far as the reader may see it: first what the subject is tied to,
 * then what that is tied to. Undefined where the subject itself is not known to the reader.
 * @throws TooCostly
 */
export async function gatherFacts(parts: GatherParts, subject: ObjectRef): Promise<Facts | undefined> {
  const gathering = new Gathering(parts);
  const first = await gathering.take(subject);
  if (first === undefined) return undefined;
  await gathering.follow(first);
  return {
    subject,
    asOf: formatCursor(parts.read.cursor),
    objects: gathering.objects,
    missing: gathering.missing(),
  };
}

class Gathering {
  readonly objects = new Map<string, ObjectFact>();
  readonly #parts: GatherParts;
  readonly #neighbours: Neighbours;
  readonly #gone = new Map<string, ObjectRef>();
  /** Kinds of objects that something led to and the reader may not list. */
  readonly #hidden = new Set<string>();
  #isCut = false;

  constructor(parts: GatherParts) {
    this.#parts = parts;
    this.#neighbours = new Neighbours(parts);
  }

  async take(ref: ObjectRef): Promise<ObjectFact | undefined> {
    const object = await this.#load(ref);
    if (object !== undefined) this.objects.set(subjectOf(ref), object);
    return object;
  }

  /** Nearest first, so that a limit takes what is furthest. */
  async follow(subject: ObjectFact): Promise<void> {
    let near = [subject];
    for (let away = 1; away <= MAX_LINKS && near.length > 0; away += 1) {
      const next: ObjectFact[] = [];
      for (const object of near) {
        const around =
          away === 1 ? await this.#neighbours.of(object) : await this.#neighbours.deploymentOf(object);
        for (const ref of [...refsOf(object), ...around]) {
          const found = await this.#reach(ref);
          // Of a job and a node everything else hangs: only what led here is told of.
          if (found !== undefined && ref.resource !== "nodes" && ref.resource !== "jobs") next.push(found);
        }
      }
      near = next;
    }
  }

  missing(): string[] {
    const { access } = this.#parts;
    const gone = [...this.#gone.values()].map(named);
    return [
      ...(gone.length === 0 ? [] : [`Not in the log and the state any more: ${gone.join(", ")}`]),
      ...[...this.#hidden].map((what) => `This token may not list ${what}: they are left out`),
      ...(this.#hidden.size === 0 && !seesAll(access) ? ["What this token may not list is left out"] : []),
      ...(this.#isCut ? [`More than ${MAX_OBJECTS} objects hang together: the nearest are told of`] : []),
      ...this.#neighbours.missing(),
    ];
  }

  /** Undefined also where it is there already. */
  async #reach(ref: ObjectRef): Promise<ObjectFact | undefined> {
    const name = subjectOf(ref);
    if (this.objects.has(name) || this.#gone.has(name)) return undefined;
    // Decided before anything is looked for: what may not be seen is as what does not exist.
    if (!this.#parts.access.maySee(ref)) {
      const { namespaced } = RESOURCES[ref.resource];
      this.#hidden.add(namespaced ? `${ref.resource} in ${ref.namespace}` : ref.resource);
      return undefined;
    }
    if (this.objects.size >= MAX_OBJECTS) {
      this.#isCut = true;
      return undefined;
    }
    const object = await this.take(ref);
    if (object === undefined) this.#gone.set(name, ref);
    return object;
  }

  async #load(ref: ObjectRef): Promise<ObjectFact | undefined> {
    const { log, read, task, access } = this.#parts;
    if (!access.maySee(ref)) return undefined;
    const entries = await task.waitFor(() =>
      log.history({ ...ref, order: "newest-first", limit: MAX_EVENTS, before: read.cursor.sequence + 1 }),
    );
    const events: EventFact[] = [];
    for (const entry of entries.toReversed()) {
      if (task.isOver) await task.nextSlice();
      events.push(await eventFact(entry, read.cursor.epoch, (sequence) => log.overflow(sequence)));
    }
    const last = events.findLast(({ op }) => op !== "version");
    if (last !== undefined) return { ref, stub: last.stub, isGone: last.op === "delete", events };
    const stub = await this.#stateOf(ref);
    return stub && { ref, stub, isGone: false, events };
  }

  async #stateOf(ref: ObjectRef): Promise<JsonObject | undefined> {
    const { read, task } = this.#parts;
    for await (const [entry] of readInSlices(task, read.entries(ref))) {
      if (entry === undefined) continue;
      const stub = JSON.parse(entry.stub.toString()) as Json;
      return isJsonObject(stub) ? stub : undefined;
    }
    return undefined;
  }
}

function refsOf(object: ObjectFact): ObjectRef[] {
  const own = subjectOf(object.ref);
  return linksOf(object).flatMap(({ from, to }) => [from, to].filter((ref) => subjectOf(ref) !== own));
}
