import type { Alert, EndReason } from "./alert.ts";
import { advance, dueAt, type Occasion, type Outcome } from "./lifecycle.ts";
import { FoldedEvent, type LoggedEvent } from "./model/folded-event.ts";
import { Model } from "./model/model.ts";
import { subjectKey, subjectOfKey, type SubjectRef, type Subjects } from "./model/subject.ts";
import { noteGap, take } from "./model/take.ts";
import { Seeding, type ConsistentRead } from "./model/seed.ts";
import type { Answer, Rule, RuleFacts } from "./rules/rule.ts";
import { isFor, type RuleSet } from "./rules/rule-set.ts";
import { Timers } from "./timers.ts";

/** How long an alert that ended is told of, and of how many at most. */
const ENDED_KEPT_MS = 60 * 60 * 1000;
const MAX_ENDED = 1000;

/** What a fold knows, as plain data. */
export interface FoldState {
  readonly now: number;
  /** When somebody looked again last after nobody had; undefined: that never was. */
  readonly resumedAt: number | undefined;
  readonly alerts: readonly Alert[];
  readonly ended: readonly Alert[];
  /** Undefined where it was too large to be kept: then the fold must be seeded before it goes on. */
  readonly model: Model | undefined;
}

/** One look at a subject, and why. */
interface Look {
  readonly ref: SubjectRef;
  readonly key: string;
  readonly occasion: Occasion;
  /** What it means where a rule holds no longer. */
  readonly end: EndReason;
}

/**
 * Events, time, and what a read of all objects says, folded into alerts. The same in the same order gives the same
 * alerts, however it is cut into calls; nothing here looks at a clock.
 */
export class AlertFold {
  readonly #rules: RuleSet;
  #model: Model;
  /** Latest time that was told, ms. */
  #now: number;
  #resumedAt: number | undefined;
  /** Alerts that are pending or fire: by subject, by rule. */
  readonly #alerts = new Map<string, Map<string, Alert>>();
  #ended: Alert[];
  readonly #timers = new Timers();
  #needsSeed: boolean;

  constructor(rules: RuleSet, state?: FoldState) {
    this.#rules = rules;
    this.#model = state?.model ?? new Model();
    this.#now = state?.now ?? 0;
    this.#resumedAt = state?.resumedAt;
    this.#ended = [...(state?.ended ?? [])];
    for (const alert of state?.alerts ?? []) this.#takeOver(alert);
    this.#needsSeed = state !== undefined && state.model === undefined;
    if (!this.#needsSeed) this.#lookAtAll(this.#occasion());
  }

  /** Whether it knows what was told, and not of what: `seed` comes before all else. */
  get needsSeed(): boolean {
    return this.#needsSeed;
  }

  get now(): number {
    return this.#now;
  }

  /** The last time of `resume`; undefined: there was none. */
  get resumedAt(): number | undefined {
    return this.#resumedAt;
  }

  get state(): FoldState {
    const [now, resumedAt] = [this.#now, this.#resumedAt];
    return { now, resumedAt, alerts: this.open, ended: this.#ended, model: this.#model };
  }

  /** Alerts that are pending or fire. */
  get open(): Alert[] {
    return [...this.#alerts.values()].flatMap((alerts) => [...alerts.values()]);
  }

  /** Alerts that were resolved in the last hour, oldest first. */
  get ended(): readonly Alert[] {
    return this.#ended;
  }

  /** @param event the same, where another reads it too. */
  apply(facts: LoggedEvent, event = new FoldedEvent(facts)): void {
    if (this.#needsSeed) throw new Error("a fold without a model must be seeded before it takes events");
    this.tick(event.at);
    // One that comes when its time is over counts from its own: so does it for whoever folds it anew.
    const occasion = { ...this.#occasion(facts.id), now: event.at };
    const refs = take(this.#model, event);
    for (const ref of refs) this.#look(ref, occasion, facts.op === "delete" ? "collected" : "recovered");
  }

  /** Takes an event of a time in which nobody looked: nothing begins or ends before `resume`. */
  takeUnseen(facts: LoggedEvent, event = new FoldedEvent(facts)): void {
    take(this.#model, event);
  }

  /**
   * Somebody looks again at `at`: what is true then counts, however it came to be. What was pending must hold for as long
   * as its rule says from now on, as nobody knows whether it held meanwhile.
   */
  resume(at: number): void {
    // The clock may have been ahead.
    this.#now = at;
    this.#model.dateBack(at);
    this.#resumedAt = at;
    for (const alert of this.open) {
      const { state, subject, rule, kept } = alert;
      if (state === "pending") this.#drop(subjectKey(subject), rule);
      if (kept !== undefined) alert.kept = { ...kept, since: Math.min(kept.since, at) };
    }
    this.#lookAtAll({ ...this.#occasion(), isMeanwhile: true });
    this.#forgetEnded();
  }

  /** Time has come so far, ms since 1970. Earlier times than were told before change nothing. */
  tick(now: number): void {
    for (let timer = this.#timers.take(now); timer !== undefined; timer = this.#timers.take(now)) {
      this.#now = Math.max(this.#now, timer.at);
      this.#lookWithJob(subjectOfKey(timer.key));
    }
    this.#now = Math.max(this.#now, now);
    this.#forgetEnded();
  }

  /** Events before this moment are missing, for instance as retention took them before they were read. */
  gap(at: number, reason: string): void {
    this.tick(at);
    for (const ref of noteGap(this.#model, this.#now, reason)) this.#look(ref, this.#occasion());
  }

  /**
   * Starts anew from all the objects that there are at `at`, as where the events since the last that was folded are gone.
   * What the objects say no more is resolved; what they say in addition began meanwhile.
   */
  seed({ objects, troubles }: ConsistentRead, at: number): void {
    const seeding = new Seeding(troubles);
    for (const { ref, stub } of objects) seeding.take(ref, stub);
    this.seedFrom(seeding, at);
  }

  /** The same, of objects that were taken one by one. */
  seedFrom(seeding: Seeding, at: number): void {
    const gap = this.#model.scopes.get("feed")?.gap;
    this.#model = seeding.model([...this.#alerts.keys()].map(subjectOfKey));
    if (gap !== undefined) this.#model.scope("feed", null, "*").gap = gap;
    this.#needsSeed = false;
    this.#now = Math.max(this.#now, at);
    this.#lookAtAll({ ...this.#occasion(), isMeanwhile: true });
    this.#forgetEnded();
  }

  #occasion(eventId?: string): Occasion {
    return { now: this.#now, eventId, isMeanwhile: false };
  }

  #lookAtAll(occasion: Occasion): void {
    for (const ref of this.#model.subjects()) this.#look(ref, occasion);
  }

  /** What fires about a group may explain what is about its job. */
  #lookWithJob(ref: SubjectRef): void {
    this.#look(ref, this.#occasion());
    if (ref.kind !== "group") return;
    const { namespace, job } = ref;
    this.#look({ kind: "job", namespace, job }, this.#occasion());
  }

  /** Asks the rules about a subject. */
  #look(ref: SubjectRef, occasion: Occasion, end: EndReason = "recovered"): void {
    const key = subjectKey(ref);
    const dues = this.#ask({ ref, key, occasion, end }).filter((due) => due !== undefined);
    this.#timers.set(key, dues.length === 0 ? undefined : Math.min(...dues));
    this.#model.tidy(ref, this.#now - this.#rules.horizonMs, (kept) => this.#alerts.has(subjectKey(kept)));
  }

  /** The times at which it is to be asked about again. */
  #ask(look: Look): (number | undefined)[] {
    const { ref } = look;
    if (ref.kind === "group") return this.#askRules(look, this.#rules.on("group"), this.#model.find(ref));
    if (ref.kind === "job") return this.#askRules(look, this.#rules.on("job"), this.#model.find(ref));
    if (ref.kind === "node") return this.#askRules(look, this.#rules.on("node"), this.#model.find(ref));
    return this.#askRules(look, this.#rules.on("scope"), this.#model.find(ref));
  }

  #askRules<Kind extends SubjectRef["kind"]>(
    look: Look,
    rules: readonly Rule<Kind>[],
    subject: Subjects[Kind] | undefined,
  ): (number | undefined)[] {
    const gone = this.#model.goneness(look.ref);
    return rules.flatMap((rule) => {
      if (gone === undefined && !this.#model.isTrusted(look.ref, rule.reads)) return [];
      const answer = gone === undefined && subject !== undefined ? this.#answer(rule, look.ref, subject) : {};
      const outcome = gone === undefined ? this.#outcome(look, rule, answer) : { end: gone };
      const alert = this.#settle(look, rule, outcome);
      return [answer.until, alert && dueAt(alert, rule)];
    });
  }

  #answer<Kind extends SubjectRef["kind"]>(
    rule: Rule<Kind>,
    ref: SubjectRef,
    subject: Subjects[Kind],
  ): Answer {
    const name = "node" in subject ? subject.node.name : undefined;
    if (!isFor(rule, ref, name)) return {};
    const { deploymentsAreTold } = this.#rules;
    return rule.condition(subject, { settings: rule, now: this.#now, deploymentsAreTold });
  }

  #outcome(look: Look, rule: RuleFacts, { finding, end }: Answer): Outcome {
    const isOpen = this.#alerts.get(look.key)?.has(rule.name) === true;
    const cause = finding === undefined && !isOpen ? undefined : this.#causeOf(look, rule);
    if (cause !== undefined) return { end: `folded into ${cause}` };
    return finding === undefined ? { end: end ?? look.end } : { finding };
  }

  /** The rule whose alert explains what this one would say. */
  #causeOf({ ref, key: own }: Look, rule: RuleFacts): string | undefined {
    const causes = this.#rules.causes(rule.name);
    if (causes.length === 0) return undefined;
    const keys = [own, ...(ref.kind === "job" ? this.#groupKeys(ref) : [])];
    return causes.find((cause) => keys.some((key) => this.#alerts.get(key)?.get(cause)?.state === "firing"));
  }

  #groupKeys({ namespace, job }: SubjectRef & { kind: "job" }): string[] {
    const groups = this.#model.knownJob(namespace, job)?.groups.keys() ?? [];
    return [...groups].map((group) => subjectKey({ kind: "group", namespace, job, group }));
  }

  #settle({ ref, key, occasion }: Look, rule: RuleFacts, outcome: Outcome): Alert | undefined {
    const known = this.#alerts.get(key)?.get(rule.name);
    if (known === undefined && "end" in outcome) return undefined;
    const alert = advance(known, ref, rule, outcome, occasion);
    if (alert !== undefined && alert.state !== "resolved") return this.#keep(alert);
    this.#drop(key, rule.name);
    if (alert !== undefined) this.#ended.push(alert);
    return undefined;
  }

  #keep(alert: Alert): Alert {
    const key = subjectKey(alert.subject);
    const alerts = this.#alerts.get(key) ?? new Map<string, Alert>();
    this.#alerts.set(key, alerts.set(alert.rule, alert));
    return alert;
  }

  /** Of a rule that is there no more it ends. */
  #takeOver(alert: Alert): void {
    if (this.#rules.get(alert.rule) !== undefined) this.#keep(alert);
    else if (alert.state === "firing")
      this.#ended.push({ ...alert, state: "resolved", endsAt: this.#now, reason: "rule switched off" });
  }

  #drop(key: string, rule: string): void {
    const alerts = this.#alerts.get(key);
    alerts?.delete(rule);
    if (alerts?.size === 0) this.#alerts.delete(key);
  }

  #forgetEnded(): void {
    const [oldest] = this.#ended;
    const isOver = oldest?.endsAt !== undefined && oldest.endsAt <= this.#now - ENDED_KEPT_MS;
    if (!isOver && this.#ended.length <= MAX_ENDED) return;
    this.#ended = this.#ended
      .filter(({ endsAt = 0 }) => endsAt > this.#now - ENDED_KEPT_MS)
      .slice(-MAX_ENDED);
  }
}
