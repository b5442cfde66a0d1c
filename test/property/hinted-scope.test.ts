import * as fc from "fast-check";
import { expect, it } from "vitest";
import { parseExact, type JsonObject } from "../../src/schemas/json.ts";
import type { Scope } from "../../src/schemas/scope.ts";
import { HintedScope } from "../support/hinted-scope.ts";

const SCOPE: Scope = { resource: "allocations", namespace: "default" };
const IDS = ["a1", "a12", "b1", "c1"] as const;

/**
 * What may become of the hint of a write. early: it is heard before the write is there; silent: there is none; lost:
 * there is none though the stream goes on as if there were; again: it is heard twice; late: after some other steps;
 * whole: the object is in it, which may be heard early too; updated: the object without its job is.
 */
type Fate =
  | "heard"
  | "whole"
  | "whole-early"
  | "updated"
  | "updated-early"
  | "early"
  | "silent"
  | "lost"
  | "again"
  | "late";
type Step =
  /** plan: with another version of the job, or not, by the scheduler; report: by the client. */
  | { readonly do: "plan" | "report"; readonly id: (typeof IDS)[number]; readonly fate: Fate }
  | { readonly do: "remove"; readonly id: (typeof IDS)[number]; readonly fate: Fate }
  | { readonly do: "pass"; readonly ms: number }
  | { readonly do: "hold" | "release" | "gap" | "live" | "rest" | "restart" | "snapshot" | "restore" };

const someFate = fc.constantFrom<Fate>(
  "heard",
  "heard",
  "whole",
  "whole",
  "whole-early",
  "updated",
  "updated",
  "updated-early",
  "early",
  "silent",
  "lost",
  "again",
  "late",
);
const someId = fc.constantFrom(...IDS);
const someStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constantFrom("plan" as const, "report"), id: someId, fate: someFate }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("remove" as const), id: someId, fate: someFate }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("pass" as const), ms: fc.constantFrom(100, 3_000, 30_000) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom("hold" as const, "release", "gap", "live", "rest", "rest", "restart"),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("snapshot" as const, "restore") }) },
);

interface Object {
  readonly ID: string;
  readonly Namespace: string;
  readonly JobID: string;
  readonly JobVersion: number;
  readonly EvalID: string;
  readonly NodeID: string;
  readonly TaskStates: object;
  readonly CreateIndex: number;
  readonly ModifyIndex: number;
}

/** A history of Nomad's, and who follows it. */
class Run {
  readonly at: HintedScope;
  readonly objects = new Map<string, Object>();
  /** Raft's, which a restore does not take back. */
  #raftIndex = 10;
  #index = 10;
  #snapshot:
    | { readonly index: number; readonly objects: readonly Object[]; planned: Map<string, number> }
    | undefined;
  /** When the scheduler last wrote each: in no list. */
  #planned = new Map<string, number>();
  /** Every object as it ever was, by its key and index. */
  readonly versions = new Map<string, Object>();
  restores = 0;
  readonly #late: (() => void)[] = [];

  constructor(at: HintedScope) {
    this.at = at;
  }

  get index(): number {
    return this.#index;
  }

  /** As Nomad lists them. */
  get list(): readonly Object[] {
    return [...this.objects.values()].toSorted((a, b) => (a.ID < b.ID ? -1 : 1));
  }

  async do(step: Step): Promise<void> {
    const { at } = this;
    switch (step.do) {
      case "plan":
      case "report":
      case "remove":
        return this.#write(step.do, step.id, step.fate);
      case "pass":
        return at.clock.advance(step.ms);
      case "hold":
        return at.nomad.holdLists();
      case "release":
        return at.nomad.releaseLists();
      case "gap":
        return at.hints.gap("the stream broke");
      case "live":
        return at.hints.live();
      case "rest":
        for (const tell of this.#late.splice(0)) tell();
        return at.clock.advance(0);
      case "restart":
        at.nomad.releaseLists();
        await at.stop();
        return at.start();
      case "snapshot":
        this.#snapshot = { index: this.#index, objects: this.list, planned: new Map(this.#planned) };
        return;
      case "restore":
        return this.#restore();
      default:
        return step satisfies never;
    }
  }

  /** Everything is heard and read again, and nothing is written any more. */
  async settle(): Promise<void> {
    const { at } = this;
    await this.do({ do: "rest" });
    at.nomad.releaseLists();
    at.hints.live();
    // Else the last list could be one that was read at this very index before a restore.
    this.#index = ++this.#raftIndex;
    at.nomad.set("allocations/default", this.#index, this.list);
    const told = () => at.loop.report().index === String(this.#index);
    await at.passUntil("a list of the last state is accepted", told, 60_000);
  }

  /** The table's index goes back, and every stream ends; another begins at once. */
  #restore(): void {
    if (this.#snapshot === undefined) return;
    const { index, objects, planned } = this.#snapshot;
    this.restores += 1;
    this.#raftIndex += 2;
    this.#index = index;
    this.objects.clear();
    this.#planned = new Map(planned);
    for (const object of objects) this.objects.set(object.ID, object);
    this.at.nomad.set("allocations/default", index, this.list);
    this.at.hints.gap("the server was restored");
    this.at.hints.live();
  }

  #write(how: "plan" | "report" | "remove", id: string, fate: Fate): void {
    const { at, objects } = this;
    const before = objects.get(id);
    const isRemoval = how === "remove";
    if (how !== "plan" && before === undefined) return;
    const index = ++this.#raftIndex;
    this.#index = index;
    const named = { resource: "allocations", namespace: "default", key: id, cause: "Allocation" } as const;
    const tell = (): void => at.hints.tell(index, named);
    const after = {
      ID: id,
      Namespace: "default",
      JobID: "web",
      JobVersion: (before?.JobVersion ?? 0) + (how === "plan" ? 1 : 0),
      EvalID: "e1",
      NodeID: "n1",
      TaskStates: { t: { Events: null } },
      CreateIndex: before?.CreateIndex ?? index,
      ModifyIndex: index,
    };
    if (how === "plan") this.#planned.set(id, index);
    if (!isRemoval) this.versions.set(`${id}@${index}`, after);
    const { JobVersion: _version, ...update } = { ...after, AllocModifyIndex: this.#planned.get(id) ?? 0 };
    const updated = { ...named, update: parseExact(JSON.stringify(update)) as JsonObject };
    const whole = { ...named, payload: Buffer.from(JSON.stringify(after)) };
    if (fate === "early") tell();
    if (fate === "whole-early" && !isRemoval) at.hints.tell(index, whole);
    if (fate === "updated-early" && !isRemoval) at.hints.tell(index, updated);
    if (isRemoval) objects.delete(id);
    else objects.set(id, after);
    at.nomad.set("allocations/default", index, this.list);
    if (fate === "heard" || fate === "again") tell();
    if (fate === "again") tell();
    if (fate === "whole" && !isRemoval) at.hints.tell(index, whole);
    if (fate === "updated" && !isRemoval) at.hints.tell(index, updated);
    if (fate === "late") this.#late.push(tell);
    // The index is explained, and nobody is named.
    if (fate === "lost") at.hints.tell(index);
  }
}

it("whatever becomes of hints, reads and lists, the log ends where the last list does, and turns no object back", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(someStep, { minLength: 5, maxLength: 40 }), async (steps) => {
      await using at = await HintedScope.open(SCOPE);
      const run = new Run(at);
      at.nomad.set("allocations/default", run.index, []);
      await at.startHinted({ fullEveryMs: 120_000 });
      for (const each of steps) await run.do(each);
      await run.settle();
      const verdict = await at.verdict(run.list);
      expect(verdict).toMatchObject({ lost: [], duplicated: [], outOfOrder: [] });
      const told = (await at.events()).filter(({ op, after }) => op !== "delete" && after !== undefined);
      expect(told.map(({ key, current }) => run.versions.get(`${key}@${current}`))).toEqual(
        told.map(({ after }) => after),
      );
      // Only what is created anew, or restored, may come again: no version is told after a later one.
      for (const key of run.restores > 0 ? [] : IDS) {
        const revs = (await at.events())
          .filter(({ subject, op }) => subject.endsWith(`/${key}`) && op !== "delete")
          .map(({ current }) => Number(current));
        expect(revs).toEqual(revs.toSorted((a, b) => a - b));
      }
    }),
    { numRuns: 40, seed: 20_261_128, endOnFailure: true },
  );
}, 120_000);
