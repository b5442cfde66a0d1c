import * as fc from "fast-check";
import { buildChangeEvents } from "../../src/events/build.ts";
import type { EventContext } from "../../src/events/context.ts";
import { buildControlEvent } from "../../src/events/control.ts";
import type { Claim, FeedLog, StateEntry, StateWrite } from "../../src/feed/log.ts";
import type { Change } from "../../src/schemas/change.ts";
import type { EventDraft } from "../../src/schemas/draft.ts";
import { isJsonObject, parseExact, type Json } from "../../src/schemas/json.ts";
import { RESOURCES, subjectOf, type ObjectRef, type ResourceType } from "../../src/schemas/resources.ts";
import { compareBytes } from "../../src/shared/compare-bytes.ts";
import { contextOf, skippedVersion, stubOf } from "./event-fixtures.ts";
import { writeOf } from "./real-changes.ts";

/** What happens to an object, or that its resource is read for the first time. */
interface Step {
  readonly ref: ObjectRef;
  readonly kind: "set" | "delete" | "replace" | "baseline";
  readonly content: string;
  /** Versions that no poll saw before it; of jobs alone. */
  readonly passed: number;
  /** Whether the step is committed together with the one before. */
  readonly joins: boolean;
}

const RESOURCES_USED: readonly ResourceType[] = ["jobs", "allocations", "nodes"];
/** Where the order by bytes is not that of JavaScript, and where a key looks like a path. */
const KEYS = ["a", "b", "a/b", "\uFFFD", "\u{1F600}"];

const ref = fc.record({
  resource: fc.constantFrom(...RESOURCES_USED),
  namespace: fc.constantFrom("default", "prod", "prod-2"),
  key: fc.constantFrom(...KEYS),
});

/** Members of a stub: some beyond what JavaScript holds, arrays that grow and shrink, and large ones. */
const content = fc
  .record(
    {
      ModifyTime: fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n }).map(String),
      Status: fc.constantFrom('"running"', '"dead"', "null"),
      Events: fc
        .array(fc.constantFrom("1", '"two"', '{"a/b":1.50}', "[]"), { maxLength: 4 })
        .map((items) => `[${items.join()}]`),
      "a~/b": fc.constantFrom('"\u2028"', "{}"),
      Large: fc.constantFrom(`"${"x".repeat(900)}"`, `"${"y".repeat(900)}"`, `["${"z".repeat(900)}"]`),
    },
    { requiredKeys: [] },
  )
  .map((members) =>
    Object.entries(members)
      .map(([name, value]) => `,${JSON.stringify(name)}:${value}`)
      .join(""),
  );

const step: fc.Arbitrary<Step> = fc.record({
  ref: ref.map((each) => (RESOURCES[each.resource].namespaced ? each : { ...each, namespace: "-" })),
  kind: fc.constantFrom("set", "set", "set", "delete", "replace", "baseline"),
  content,
  passed: fc.nat(2),
  joins: fc.boolean(),
});

export const pastSteps: fc.Arbitrary<Step[]> = fc.array(step, { minLength: 1, maxLength: 40 });

/** Objects by subject: `[subject, rev, content]`, in order. */
type Shown = readonly (readonly [subject: string, rev: string, content: string])[];

interface Held {
  readonly ref: ObjectRef;
  readonly text: string;
}

/** Writes a history into a log, and remembers what was after each event. */
export class PastHistory {
  /** By sequence: what the feed knew after that event; at 0 nothing. */
  readonly after: Shown[] = [[]];
  readonly #log: FeedLog;
  readonly #objects = new Map<string, Held>();
  readonly #read = new Map<ResourceType, Claim>();
  #rev = 10;
  #commits = 0;

  constructor(log: FeedLog) {
    this.#log = log;
  }

  async write(steps: readonly Step[]): Promise<void> {
    for (const resource of RESOURCES_USED) this.#read.delete(resource);
    let pending: Step[] = [];
    for (const [position, next] of steps.entries()) {
      const known = this.#read.get(next.ref.resource);
      if (known === undefined) {
        await this.#flush(pending.splice(0));
        if (next.kind === "baseline" || position % 3 === 2) await this.#baseline(next.ref.resource, next);
        continue;
      }
      if (!next.joins || pending[0]?.ref.resource !== next.ref.resource) await this.#flush(pending.splice(0));
      if (next.kind !== "baseline") pending.push(next);
    }
    await this.#flush(pending);
  }

  async #flush(steps: Step[]): Promise<void> {
    const [first] = steps;
    if (first === undefined) return;
    const events: EventDraft[] = [];
    const state: StateWrite[] = [];
    for (const each of steps) {
      const change = this.#changeOf(each);
      if (change === undefined) continue;
      state.push(writeOf(change));
      for (const event of buildChangeEvents(change, this.#contextOf(change, each.passed))) {
        events.push(event);
        const subject = subjectOf(change.ref);
        if (event.op === "delete") this.#objects.delete(subject);
        else if (event.op !== "version" && change.after !== undefined) {
          this.#objects.set(subject, { ref: change.ref, text: change.after.bytes.toString() });
        }
        this.after.push(this.#shown());
      }
    }
    await this.#commit(first.ref.resource, events, state);
  }

  #contextOf(change: Change, passed: number): EventContext {
    const skipped = Array.from({ length: change.ref.resource === "jobs" ? passed : 0 }, () => {
      this.#rev += 1;
      return skippedVersion(this.#rev, this.#rev);
    });
    return contextOf({ fromIndex: "1" }, { maxEventBytes: 900, found: new Map([[change, { skipped }]]) });
  }

  /** What was there before anybody looked: state without events, and then the mark. */
  async #baseline(resource: ResourceType, { ref: found, content: text }: Step): Promise<void> {
    const namespace = RESOURCES[resource].namespaced ? "*" : "-";
    const scope = { resource, namespace };
    this.#read.set(resource, await this.#log.claim(scope, "test"));
    const stub = this.#stub(found, 1, text);
    const change: Change = { op: "create", ref: found, after: stubOf(stub) };
    await this.#commit(resource, [], [writeOf(change)]);
    this.#objects.set(subjectOf(found), { ref: found, text: stub });
    this.after.push(this.#shown());
    const mark = buildControlEvent(
      { kind: "baseline", scope, count: 1, index: "1" },
      { source: "s", nomadEpoch: 0, observedAt: "2026-08-22T10:00:00.000Z", discriminator: resource },
    );
    await this.#commit(resource, [mark], []);
  }

  #changeOf({ ref: of, kind, content: text }: Step): Change | undefined {
    const held = this.#objects.get(subjectOf(of));
    if (kind === "delete") {
      return held && { op: "delete", ref: of, before: stubOf(held.text) };
    }
    const created = held === undefined || kind === "replace" ? (this.#rev += 1) : createdOf(held.text);
    const after = stubOf(this.#stub(of, created, text));
    if (held === undefined) return { op: "create", ref: of, after };
    return { op: "update", ref: of, before: stubOf(held.text), after };
  }

  #stub({ resource, key }: ObjectRef, created: number, text: string): string {
    const { keyField } = RESOURCES[resource];
    return `{"${keyField}":${JSON.stringify(key)},"CreateIndex":${created},"ModifyIndex":${(this.#rev += 1)}${text}}`;
  }

  async #commit(resource: ResourceType, events: EventDraft[], state: StateWrite[]): Promise<void> {
    const claim = this.#read.get(resource);
    if (claim === undefined || events.length + state.length === 0) return;
    const { scope, fence } = claim;
    this.#commits += 1;
    const commitId = `past-${this.#commits}`;
    const { rev } = await this.#log.commit({ scope, fence, expectedRev: claim.rev, commitId, events, state });
    this.#read.set(resource, { ...claim, rev });
  }

  #shown(): Shown {
    const held = [...this.#objects.values()].map(({ ref: of, text }): StateEntry => {
      const stub = Buffer.from(text);
      return { ref: of, rev: /"ModifyIndex":(\d+)/.exec(text)?.[1] ?? "", stub };
    });
    return shown(held.toSorted((a, b) => byPlace(a.ref, b.ref)));
  }
}

export function shown(entries: readonly StateEntry[]): Shown {
  return entries.map(({ ref: of, rev, stub }) => [
    subjectOf(of),
    rev,
    canonical(parseExact(stub.toString())),
  ]);
}

function createdOf(text: string): number {
  return Number(/"CreateIndex":(\d+)/.exec(text)?.[1]);
}

/** JSON with every digit, in whatever order the members stood. */
function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  const names = Object.keys(value).toSorted();
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name] ?? null)}`).join()}}`;
}

function byPlace(a: ObjectRef, b: ObjectRef): number {
  return (
    compareBytes(a.resource, b.resource) ||
    compareBytes(a.namespace, b.namespace) ||
    compareBytes(a.key, b.key)
  );
}
