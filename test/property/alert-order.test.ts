import * as fc from "fast-check";
import { expect, test } from "vitest";
import { decode, encoding } from "../../src/alerts/document.ts";
import { AlertFold } from "../../src/alerts/fold.ts";
import { labelsOf } from "../../src/alerts/model/subject.ts";
import { RuleSet } from "../../src/alerts/rules/rule-set.ts";
import { RULES } from "../../src/alerts/rules/table.ts";
import { orderChanges } from "../../src/events/build.ts";
import { buildControlEvent } from "../../src/events/control.ts";
import type { Change } from "../../src/schemas/change.ts";
import { sealDraft } from "../../src/schemas/draft.ts";
import { CORE_TYPES, type ResourceType } from "../../src/schemas/resources.ts";
import { MINUTE, SECOND } from "../support/alert-feed.ts";
import { AlertStory, DEEDS, STORY_BEGIN, type Deed, type StoryChange } from "../support/alert-story.ts";
import { changeOf } from "../support/event-fixtures.ts";
import { loggedEvents } from "../support/logged-events.ts";
import { whole } from "../support/whole-text.ts";

/** Longer than anything but a drain is counted, waited for, or kept firing. */
const REST_MS = 45 * MINUTE;

const RUNS = 120;

/** A launch that Nomad forgot is known to whoever saw it. */
const rules = new RuleSet(RULES.filter(({ name }) => name !== "JobOverdue"));

const lives = fc.array(fc.tuple(fc.constantFrom(...DEEDS), fc.nat(5)), {
  minLength: 1,
  maxLength: 60,
  size: "max",
});

function storyOf(deeds: readonly (readonly [deed: Deed, which: number])[]): AlertStory {
  const story = new AlertStory();
  for (const [deed, which] of deeds) story.do(deed, which);
  return story;
}

/** One look at a scope, at so many of its changes that were not seen; a kill of whoever folds them may come after. */
const looks = fc.array(
  fc.record({
    scope: fc.constantFrom(...CORE_TYPES),
    size: fc.integer({ min: 1, max: 6 }),
    kill: fc.boolean(),
    said: fc.option(fc.constantFrom("stale", "recovered"), { freq: 2 }),
  }),
  { maxLength: 60, size: "max" },
);

/** Reads the changes of a story as polls do, scope by scope. */
class Reading {
  fold = new AlertFold(rules);
  now = STORY_BEGIN;
  #sequence = 0;
  readonly #seen = new Map<string, object>();
  readonly #left: Map<ResourceType, StoryChange[]>;

  constructor(changes: readonly StoryChange[]) {
    this.#left = Map.groupBy(changes, ({ resource }) => resource);
  }

  /** What a poll finds once so many changes more came to be: of each object only what it became. */
  look(scope: ResourceType, size: number): void {
    let last = new Map<string, object | undefined>();
    for (const { name, after } of this.#left.get(scope)?.splice(0, size) ?? []) {
      // Of what came and went between two polls nothing is known.
      if (after === undefined && !this.#seen.has(`${scope} ${name}`) && last.get(name) !== undefined) {
        this.#tell(scope, last);
        last = new Map();
      }
      last.set(name, after);
    }
    this.#tell(scope, last);
  }

  #tell(scope: ResourceType, last: ReadonlyMap<string, object | undefined>): void {
    const changes = [...last].flatMap(([name, after]): Change[] => {
      const key = `${scope} ${name}`;
      const before = this.#seen.get(key);
      if (after === undefined) this.#seen.delete(key);
      else this.#seen.set(key, after);
      return before === undefined && after === undefined ? [] : [changeOf(scope, before, after)];
    });
    for (const change of orderChanges(changes))
      for (const event of loggedEvents(change, this.now, (this.#sequence += 2))) this.fold.apply(event);
    this.now += SECOND;
  }

  say(resource: ResourceType, state: "stale" | "recovered"): void {
    const scope = { resource, namespace: resource === "nodes" || resource === "namespaces" ? "-" : "*" };
    const observedAt = new Date(this.now).toISOString();
    const context = { source: "nomad://prod/global", nomadEpoch: 0, observedAt, discriminator: "1" };
    const draft = buildControlEvent({ kind: "scope", scope, state, reason: "" }, context);
    this.fold.apply({ ...draft, json: sealDraft(draft, "k3f9x2", (this.#sequence += 1)) });
  }

  kill(): void {
    this.fold = new AlertFold(rules, decode(whole(encoding(this.fold.state, Number.POSITIVE_INFINITY))));
  }

  seed(story: AlertStory): void {
    const objects = CORE_TYPES.flatMap((resource) =>
      [...(story.objects.get(resource)?.values() ?? [])].map((fields) => {
        const { ref, after } = changeOf(resource, undefined, fields);
        return { ref, stub: after?.value ?? {} };
      }),
    );
    this.fold.seed({ objects, troubles: [] }, this.now);
  }

  /** What fires once all is read and nothing happened for long. */
  end(): string[] {
    for (const scope of CORE_TYPES) {
      this.look(scope, Number.POSITIVE_INFINITY);
      this.say(scope, "recovered");
    }
    this.fold.tick(this.now + REST_MS);
    return this.fold.open
      .filter(({ state }) => state === "firing")
      .map(({ rule, subject }) => `${rule} ${Object.values(labelsOf(subject)).join("/")}`)
      .toSorted();
  }
}

/** In the order in which it happened, each change by itself. */
function asItHappened({ changes }: AlertStory): string[] {
  const reading = new Reading(changes);
  for (const { resource } of changes) reading.look(resource, 1);
  return reading.end();
}

test("whichever scope is read first or cannot be, and whoever was killed meanwhile, the same alerts fire in the end", () => {
  fc.assert(
    fc.property(lives, looks, (life, plan) => {
      const story = storyOf(life);
      const reading = new Reading(story.changes);
      for (const { scope, size, kill, said } of plan) {
        reading.look(scope, size);
        if (said !== null) reading.say(scope, said);
        if (kill) reading.kill();
      }
      expect(reading.end()).toEqual(asItHappened(story));
    }),
    { numRuns: RUNS },
  );
});

test("and they are those of a start from the objects that there are", () => {
  fc.assert(
    fc.property(lives, (life) => {
      const story = storyOf(life);
      const reading = new Reading([]);
      reading.seed(story);
      expect(reading.end()).toEqual(asItHappened(story));
    }),
    { numRuns: RUNS },
  );
});
