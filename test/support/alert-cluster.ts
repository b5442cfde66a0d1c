import type { Alert } from "../../src/alerts/alert.ts";
import { decode, encoding } from "../../src/alerts/document.ts";
import { AlertFold } from "../../src/alerts/fold.ts";
import type { RuleSet } from "../../src/alerts/rules/rule-set.ts";
import { labelsOf } from "../../src/alerts/model/subject.ts";
import { isJsonObject, stringField, type JsonObject } from "../../src/schemas/json.ts";
import { CORE_TYPES, type ObjectRef, type ResourceType } from "../../src/schemas/resources.ts";
import { createSimulator, type Simulator } from "../../packages/nomad-simulator/src/index.ts";
import type { JournalEntry } from "../../packages/nomad-simulator/src/journal.ts";
import {
  cancelOrphans,
  noteCompletion,
  parentOf,
  stubIn,
  type Happening,
  type Happenings,
} from "./alert-truth.ts";
import { changeOf } from "./event-fixtures.ts";
import { loggedEvents } from "./logged-events.ts";
import { whole } from "./whole-text.ts";

/** Whole numbers from 0 below `bound`, the same for the same seed. */
export type Pick = (bound: number) => number;

export function pickFrom(seed: number): Pick {
  let state = seed * 2_654_435_761 + 1;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

interface Seen {
  readonly ref: ObjectRef;
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/** A simulated cluster that lives, is polled, and whose events a fold folds; it may be killed between any two. */
export class AlertCluster {
  readonly simulator: Simulator;
  readonly #rules: RuleSet;
  readonly #pick: Pick;
  fold: AlertFold;
  /** Is never killed, and told of time by events alone until somebody asks. */
  readonly #twin: AlertFold;
  now = Date.parse("2026-11-29T03:00:00Z");
  happenings: Happenings = noHappenings();
  /** Times that the fold's holder died and another went on from its document. */
  kills = 0;
  #position = 0;
  #sequence = 0;

  constructor(rules: RuleSet, seed: number) {
    this.#rules = rules;
    this.#pick = pickFrom(seed);
    this.simulator = createSimulator({
      seed,
      allocations: 60,
      nodes: 6,
      namespaces: ["qa"],
      clock: () => this.now,
    });
    this.fold = new AlertFold(rules);
    this.#twin = new AlertFold(rules);
    this.reseed();
  }

  /** Some steps of life, seen in some polls. */
  live(polls: number): void {
    for (let poll = 0; poll < polls; poll++) {
      for (let step = this.#pick(6); step >= 0; step--) {
        this.now += this.#pick(3000);
        this.simulator.churn(1);
      }
      this.#poll();
    }
  }

  /** Time in which nothing happens. */
  rest(ms: number): void {
    const end = this.now + ms;
    while (this.now < end) {
      this.now = Math.min(end, this.now + 1 + this.#pick(ms));
      this.fold.tick(this.now);
      this.#maybeKill(4);
    }
  }

  /** The position is gone: the fold starts again from what there is. */
  reseed(): void {
    this.#position = this.#end;
    const objects = [...this.simulator.state()].flatMap(([resource, rows]) =>
      [...rows].map(([name, text]) => ({ ref: refOf(resource, name), stub: stubIn(text) })),
    );
    this.happenings = noHappenings();
    for (const { ref, stub } of objects)
      if (ref.resource === "allocations") noteCompletion(this.happenings, stub);
    for (const fold of [this.fold, this.#twin]) fold.seed({ objects, troubles: [] }, this.now);
  }

  /** All that is known of each alert, as the fold has it and as its twin does. */
  compared(): [fold: unknown, twin: unknown] {
    this.#twin.tick(this.now);
    const [fold, twin] = [this.fold, this.#twin].map(({ open, ended }) => ({
      open: open.toSorted(byName),
      ended: ended.toSorted(byName),
    }));
    return [fold, twin];
  }

  get firing(): string[] {
    return this.fold.open
      .filter(({ state }) => state === "firing")
      .map(({ rule, subject }) => `${rule} ${Object.values(labelsOf(subject)).join("/")}`)
      .toSorted();
  }

  get #end(): number {
    const { journal } = this.simulator;
    return journal.dropped + journal.entries.length;
  }

  #poll(): void {
    cancelOrphans(this.simulator);
    const { journal } = this.simulator;
    const seen = seenIn(journal.entries.slice(this.#position - journal.dropped));
    this.#position = this.#end;
    for (const resource of shuffled(CORE_TYPES, this.#pick)) {
      // Deletes come last, as in the feed.
      const own = seen.filter(({ ref }) => ref.resource === resource);
      for (const one of own.toSorted(
        (a, b) => Number(a.after === undefined) - Number(b.after === undefined),
      )) {
        this.#note(one);
        this.#tell(one);
      }
    }
  }

  #tell({ ref, before, after }: Seen): void {
    this.#sequence += 1;
    for (const event of loggedEvents(changeOf(ref.resource, before, after), this.now, this.#sequence)) {
      this.fold.apply(event);
      this.#twin.apply(event);
      this.#maybeKill(50);
    }
  }

  #maybeKill(oneIn: number): void {
    if (this.#pick(oneIn) > 0) return;
    this.kills += 1;
    this.fold = new AlertFold(
      this.#rules,
      decode(whole(encoding(this.fold.state, Number.POSITIVE_INFINITY))),
    );
  }

  /** What no state shows afterwards, from what was seen of one object. */
  #note({ ref, before, after }: Seen): void {
    if (ref.resource === "jobs" && isOver(before, after)) forget(this.happenings, ref);
    if (after === undefined) {
      if (ref.resource === "nodes") forgetNode(this.happenings, ref.key);
      return;
    }
    const [old, fresh] = [before === undefined ? undefined : stubIn(before), stubIn(after)];
    if (ref.resource === "nodes" && old !== undefined && isLost(fresh) && !isLost(old)) {
      this.happenings.losses.push({ node: ref.key, at: this.now });
    }
    if (ref.resource === "allocations") this.#noteAllocation(old, fresh);
  }

  #noteAllocation(old: JsonObject | undefined, fresh: JsonObject): void {
    noteCompletion(this.happenings, fresh);
    const { restarts, kills } = this.happenings;
    const count = tasksOf(fresh).reduce((sum, [name, task]) => {
      const known = tasksOf(old).find(([other]) => other === name)?.[1];
      return sum + Math.max(0, Number(task["Restarts"]) - Number(known?.["Restarts"] ?? 0));
    }, 0);
    if (count > 0) restarts.push(this.#happening(fresh, count));
    const known = new Set(oomTimes(old));
    if (oomTimes(fresh).some((time) => !known.has(time))) kills.push(this.#happening(fresh, 1));
  }

  #happening(stub: JsonObject, count: number): Happening {
    const isBatch = stub["JobType"] === "batch";
    return {
      namespace: textOf(stub, "Namespace"),
      job: textOf(stub, "JobID"),
      group: textOf(stub, "TaskGroup"),
      version: Number(stub["JobVersion"]),
      isBatch,
      at: this.now,
      count,
    };
  }
}

const nameOf = ({ rule, subject, startsAt }: Alert): string =>
  [rule, ...Object.values(labelsOf(subject)), startsAt].join("/");

const byName = (a: Alert, b: Alert): number => (nameOf(a) < nameOf(b) ? -1 : 1);

const noHappenings = (): Happenings => ({ restarts: [], kills: [], losses: [], completed: new Map() });

const textOf = (stub: JsonObject, field: string): string => stringField(stub, field) ?? "";

const isLost = (node: JsonObject): boolean => node["Status"] === "down" || node["Status"] === "disconnected";

function isOver(before: string | undefined, after: string | undefined): boolean {
  if (before === undefined) return false;
  return after === undefined || stubIn(before)["CreateIndex"] !== stubIn(after)["CreateIndex"];
}

function forget({ restarts, kills }: Happenings, { namespace, key }: ObjectRef): void {
  for (const list of [restarts, kills]) {
    const kept = list.filter((one) => one.namespace !== namespace || parentOf(one.job) !== key);
    list.splice(0, list.length, ...kept);
  }
}

function forgetNode({ losses }: Happenings, id: string): void {
  losses.splice(0, losses.length, ...losses.filter(({ node }) => node !== id));
}

function tasksOf(stub: JsonObject | undefined): [string, JsonObject][] {
  const tasks = stub?.["TaskStates"];
  return Object.entries(tasks ?? {}).filter((entry): entry is [string, JsonObject] => isJsonObject(entry[1]));
}

function oomTimes(stub: JsonObject | undefined): string[] {
  return tasksOf(stub).flatMap(([, task]) =>
    (Array.isArray(task["Events"]) ? task["Events"] : [])
      .map((event) => JSON.stringify(event))
      .filter((text) => text.includes('"oom_killed":"true"')),
  );
}

/** One entry an object, from what it was at the last poll to what it is at this one. */
function seenIn(entries: readonly JournalEntry[]): Seen[] {
  const groups = Map.groupBy(entries, ({ resource, namespace, key }) => `${resource}/${namespace}/${key}`);
  return [...groups.values()].flatMap((group) => {
    const [first, last] = [group[0], group.at(-1)];
    if (first === undefined || last === undefined || first.before === last.after) return [];
    const { resource, namespace, key } = last;
    return [{ ref: { resource, namespace, key }, before: first.before, after: last.after }];
  });
}

function shuffled<Item>(items: readonly Item[], pick: Pick): Item[] {
  const left = [...items];
  return items.flatMap(() => left.splice(pick(left.length), 1));
}

function refOf(resource: ResourceType, name: string): ObjectRef {
  const split = name.indexOf("/");
  return { resource, namespace: name.slice(0, split), key: name.slice(split + 1) };
}
