import { AlertFold } from "../../src/alerts/fold.ts";
import { RULES } from "../../src/alerts/rules/table.ts";
import { RuleSet } from "../../src/alerts/rules/rule-set.ts";
import type { AnyRule } from "../../src/alerts/rules/rule.ts";
import { render } from "../../src/alerts/render.ts";
import { buildControlEvent, type ControlEvent } from "../../src/events/control.ts";
import { buildChangeEvents } from "../../src/events/build.ts";
import type { AlertJson } from "../../src/schemas/alert-schema.ts";
import type { Change } from "../../src/schemas/change.ts";
import { sealDraft, type EventDraft } from "../../src/schemas/draft.ts";
import type { PollMode } from "../../src/schemas/event-schema.ts";
import { subjectOf, type ResourceType } from "../../src/schemas/resources.ts";
import { changeOf, contextOf, SAMPLES } from "./event-fixtures.ts";

const BEGIN = Date.parse("2026-11-29T03:00:00Z");
export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;

type Fields = Readonly<Record<string, unknown>>;

/** A fold with objects that a test changes, and a clock that it moves. */
export class AlertFeed {
  readonly rules: RuleSet;
  fold: AlertFold;
  now = BEGIN;
  mode: PollMode = "live";
  #sequence = 0;
  readonly #objects = new Map<string, Fields>();
  readonly #refs = new Map<string, { resource: ResourceType; fields: Fields }>();

  constructor(rules: readonly AnyRule[] = RULES) {
    this.rules = new RuleSet(rules);
    this.fold = new AlertFold(this.rules);
  }

  /** Time passes. */
  pass(ms: number): this {
    this.now += ms;
    this.fold.tick(this.now);
    return this;
  }

  /** The object is there with these fields, beside those it had, or those of the sample. */
  put(resource: ResourceType, fields: Fields): this {
    const { key, change } = this.#changeTo(resource, fields);
    this.#objects.set(key, change.fields);
    this.#tell(changeOf(resource, change.before, change.fields));
    return this;
  }

  /** The same, while nobody looks. */
  putUnseen(resource: ResourceType, fields: Fields): this {
    const { key, change } = this.#changeTo(resource, fields);
    this.#objects.set(key, change.fields);
    return this;
  }

  remove(resource: ResourceType, key: string, namespace = "default"): this {
    const before = this.removeUnseen(resource, key, namespace);
    this.#tell(changeOf(resource, before, undefined));
    return this;
  }

  removeUnseen(resource: ResourceType, key: string, namespace = "default"): Fields {
    const subject = `${resource}/${NAMESPACED.has(resource) ? namespace : "-"}/${key}`;
    const before = this.#objects.get(subject);
    if (before === undefined) throw new Error(`no ${subject}`);
    this.#objects.delete(subject);
    this.#refs.delete(subject);
    return before;
  }

  say(event: ControlEvent): this {
    const draft = buildControlEvent(event, {
      source: "nomad://prod/global",
      nomadEpoch: 0,
      observedAt: new Date(this.now).toISOString(),
      discriminator: String(this.#sequence),
    });
    this.#apply(draft);
    return this;
  }

  /** The position was lost: the fold starts again from the objects there are. */
  seed(troubles: Parameters<AlertFold["seed"]>[0]["troubles"] = []): this {
    const objects = [...this.#objects].map(([key, fields]) => {
      const { resource } = this.#refs.get(key) ?? {};
      if (resource === undefined) throw new Error(`no ${key}`);
      const change = changeOf(resource, undefined, fields);
      return { ref: change.ref, stub: change.after?.value ?? {} };
    });
    this.fold.seed({ objects, troubles }, this.now);
    return this;
  }

  get firing(): AlertJson[] {
    return this.#rendered(this.fold.open).filter(({ state }) => state === "firing");
  }

  get resolved(): AlertJson[] {
    return this.#rendered(this.fold.ended);
  }

  /** "JobFailing web/frontend", sorted. */
  get names(): string[] {
    return this.firing.map(nameOf).toSorted();
  }

  #rendered(alerts: AlertFold["ended"]): AlertJson[] {
    return alerts.flatMap((alert) => {
      const rule = this.rules.get(alert.rule);
      return rule === undefined ? [] : [render(alert, rule, { cluster: "prod", region: "global" })];
    });
  }

  #changeTo(resource: ResourceType, fields: Fields) {
    const whole = changeOf(resource, undefined, { ...SAMPLES[resource], ...fields });
    const key = subjectOf(whole.ref);
    const before = this.#objects.get(key);
    const next = { ...SAMPLES[resource], ...before, ...fields };
    this.#refs.set(key, { resource, fields: next });
    return { key, change: { before, fields: next } };
  }

  #tell(change: Change): void {
    const observation = { observedAt: new Date(this.now).toISOString(), mode: this.mode };
    for (const draft of buildChangeEvents(change, contextOf(observation))) this.#apply(draft);
  }

  #apply(draft: EventDraft): void {
    this.#sequence += 1;
    this.fold.apply({ ...draft, json: sealDraft(draft, "k3f9x2", this.#sequence) });
  }
}

const NAMESPACED = new Set<ResourceType>(["jobs", "allocations", "deployments", "evaluations"]);

function nameOf({ rule, labels }: Pick<AlertJson, "rule" | "labels">): string {
  const { cluster: _cluster, region: _region, namespace: _namespace, ...rest } = labels;
  return `${rule} ${Object.values(rest).join("/")}`;
}
