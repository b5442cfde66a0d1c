import { didYouMean, nearestName } from "../../schemas/nearest.ts";
import type { FeedLog } from "../../feed/log.ts";
import {
  CORE_TYPES,
  isNamed,
  RESOURCE_TYPES,
  RESOURCES,
  type ResourceType,
} from "../../schemas/resources.ts";
import { UsageError } from "./usage-error.ts";

/** What `history` was asked about: a kind of object, and which one. */
export interface ObjectSelector {
  readonly resource: ResourceType;
  /** As given: an id, a name, or the beginning of an id. */
  readonly key: string;
}

/**
 * `job/web`, `allocations/5456bd7a`: noun, singular or plural, and key; a key may hold slashes.
 * @throws UsageError.
 */
export function parseSelector(text: string): ObjectSelector {
  const [noun = "", ...rest] = text.split("/");
  const key = rest.join("/");
  const resource = RESOURCE_TYPES.find((type) => type === noun || RESOURCES[type].noun === noun);
  const nouns = RESOURCE_TYPES.map((type) => RESOURCES[type].noun);
  if (resource === undefined && rest.length === 0) {
    throw new UsageError(`${JSON.stringify(text)} does not say what kind of object it is`, {
      hint: `Write ${CORE_TYPES.map((type) => `${RESOURCES[type].noun}/${text}`).join(" or ")}, or another kind`,
    });
  }
  if (resource === undefined) {
    throw new UsageError(
      `There is no kind of object named ${JSON.stringify(noun)}${didYouMean(noun, nouns)}`,
      {
        hint: `Allowed: ${nouns.map((name) => `${name}/<id>`).join(", ")}`,
      },
    );
  }
  if (key === "")
    throw new UsageError(`${text} names no object`, { hint: `Write ${RESOURCES[resource].noun}/<id>` });
  return { resource, key };
}

const UUID_LENGTH = 36;
const PAGE = 1000;

/**
 * The selector with the whole id, where it has the beginning of one: of an object that is there now, else of
 * one the log remembers.
 * @throws UsageError where several objects begin like this.
 */
export async function completeSelector(log: FeedLog, selector: ObjectSelector): Promise<ObjectSelector> {
  const { resource, key } = selector;
  if (isNamed(resource) || key.length >= UUID_LENGTH) return selector;
  const living = await livingKeys(log, selector);
  const keys = living.size > 0 ? living : await loggedKeys(log, selector);
  if (keys.size > 1) {
    throw new UsageError(`${keys.size} ${resource} begin with ${key}`, {
      hint: `Write more of the id: ${[...keys].slice(0, 10).join(", ")}`,
    });
  }
  const [only = key] = keys;
  return { resource, key: only };
}

/**
 * What to say where the log has no event of an object: that it is there and did not change, or a name like it;
 * undefined where neither holds.
 */
export async function whyNothing(
  log: FeedLog,
  { resource, key }: ObjectSelector,
): Promise<string | undefined> {
  const living = await livingKeys(log, { resource, key: "" });
  const { noun } = RESOURCES[resource];
  if (living.has(key)) return `${noun}/${key} is known, but no such change of it`;
  const nearest = nearestName(key, living);
  return nearest === undefined ? undefined : `there is no ${noun}/${key}; did you mean ${noun}/${nearest}?`;
}

async function livingKeys(log: FeedLog, { resource, key }: ObjectSelector): Promise<Set<string>> {
  const keys = new Set<string>();
  await using read = await log.consistentRead();
  for await (const entries of read.entries({ resource })) {
    for (const { ref } of entries) if (ref.key.startsWith(key)) keys.add(ref.key);
  }
  return keys;
}

async function loggedKeys(log: FeedLog, { resource, key }: ObjectSelector): Promise<Set<string>> {
  const keys = new Set<string>();
  let before: number | undefined;
  while (true) {
    const page = await log.history({
      resource,
      order: "newest-first",
      limit: PAGE,
      ...(before === undefined ? {} : { before }),
    });
    for (const entry of page) if (entry.key?.startsWith(key) === true) keys.add(entry.key);
    before = page.at(-1)?.sequence;
    if (page.length < PAGE) return keys;
  }
}
