import { Regex } from "../../filters/regex/regex.ts";
import type { HistoryFacts, StateEntry, StatePart } from "../../feed/log.ts";
import type { EventFacts, LogEntry } from "../../schemas/draft.ts";
import { isJsonObject, parseExact, type Json, type JsonObject } from "../../schemas/json.ts";
import { jsonText } from "../../schemas/line-safe.ts";
import { REDACTED, type RedactionRule } from "../../schemas/redaction-schema.ts";
import { isResourceType, RESOURCES } from "../../schemas/resources.ts";
import { namesOf } from "../../shared/json-pointer.ts";
import { beginOf, step, type Position } from "./path-positions.ts";
import { Scrubber } from "./scrubber.ts";

/** Namespaces come and go. */
const MAX_REMEMBERED = 10_000;

/** What applies to the objects of one resource in one namespace. */
interface Applied {
  readonly positions: readonly Position[];
  readonly patterns: readonly Regex[];
}

/** An object without what must not leave. */
export interface RedactedState extends StateEntry {
  /** Where in the frame's `data` something was. */
  readonly redacted?: readonly string[];
}

interface Compiled extends Applied {
  readonly rule: RedactionRule;
}

/**
 * Takes out of events and objects what must not leave, by one set of rules. What names an object (its namespace and
 * key, and with them subject, partitionkey and id) stays: order and rights hang on it.
 */
export class Redactor {
  readonly #rules: readonly Compiled[];
  readonly #applied = new Map<string, Applied | undefined>();

  /** @throws InvalidRegex */
  constructor(rules: readonly RedactionRule[]) {
    this.#rules = rules.map((rule) => ({
      rule,
      positions: (rule.paths ?? []).flatMap(beginOf),
      patterns: (rule.patterns ?? []).map((pattern) => new Regex(pattern)),
    }));
  }

  /** The entry itself where nothing of it is redacted. */
  entry(entry: LogEntry): LogEntry {
    const applied = this.#appliedTo(entry.resource, entry.namespace);
    if (applied === undefined) return entry;
    const event = rewritten(entry.json, (whole) => withRedactedData(whole, () => applied));
    if (event === undefined) return entry;
    return { ...entry, ...relationsOf(entry, event["data"]), json: jsonText(event) };
  }

  /** What is known of an event that was not read. */
  facts(facts: HistoryFacts): HistoryFacts {
    const { resource, namespace, job, node } = facts;
    const applied = this.#appliedTo(resource, namespace);
    if (applied === undefined || (job === null && node === null)) return facts;
    const { positions, patterns } = applied;
    const block = { type: resource, ...(job !== null && { job }), ...(node !== null && { node }) };
    const shown = resourceWithout(block, { positions, scrubber: new Scrubber(patterns) });
    return { ...facts, ...relationsOf(facts, { resource: shown }) };
  }

  /** The same of an event's text alone. */
  eventText(json: string): string {
    const event = rewritten(json, (whole) => withRedactedData(whole, (data) => this.#appliedToData(data)));
    return event === undefined ? json : jsonText(event);
  }

  /** The same of the text of an event's `data`. */
  dataText(json: string): string {
    const data = rewritten(json, (whole) => redactedData(whole, this.#appliedToData(whole)));
    return data === undefined ? json : jsonText(data);
  }

  state(entry: StateEntry): RedactedState {
    const applied = this.#appliedTo(entry.ref.resource, entry.ref.namespace);
    if (applied === undefined) return entry;
    const { positions, patterns } = applied;
    let redacted: readonly string[] = [];
    const stub = rewritten(entry.stub.toString("utf8"), (whole) => {
      const scrubber = new Scrubber(patterns);
      const scrubbed = scrubber.within("after", () => scrubber.value(whole, positions));
      redacted = scrubber.places;
      return redacted.length > 0 && isJsonObject(scrubbed) ? scrubbed : undefined;
    });
    return stub === undefined ? entry : { ...entry, stub: Buffer.from(jsonText(stub)), redacted };
  }

  /**
   * The same of texts about an object that are not in the feed. Where one is called `path`, it says where in the object the
   * others stand.
   */
  texts<Texts extends object>({ resource, namespace }: StatePart, texts: Texts): Texts {
    const applied = this.#appliedTo(resource, namespace);
    if (applied === undefined) return texts;
    const { positions, patterns } = applied;
    const scrubber = new Scrubber(patterns);
    const json = texts as Json;
    const scrubbed =
      "path" in texts ? changeWithout(json, { positions, scrubber }) : scrubber.value(json, []);
    return scrubbed as Texts;
  }

  #appliedToData(data: Json | undefined): Applied | undefined {
    const of = isJsonObject(data) ? (data["resource"] ?? data["scope"]) : undefined;
    const { resource = null, type = resource, namespace = null } = isJsonObject(of) ? of : {};
    return this.#appliedTo(textOrNull(type), textOrNull(namespace));
  }

  #appliedTo(resource: string | null, namespace: string | null): Applied | undefined {
    if (this.#rules.length === 0) return undefined;
    const key = `${resource}/${namespace}`;
    if (this.#applied.has(key)) return this.#applied.get(key);
    const rules = this.#rules.filter(({ rule }) => appliesTo(rule, resource, namespace));
    const applied =
      rules.length === 0
        ? undefined
        : {
            positions: rules.flatMap(({ positions }) => positions),
            patterns: rules.flatMap(({ patterns }) => patterns),
          };
    if (this.#applied.size >= MAX_REMEMBERED) this.#applied.clear();
    this.#applied.set(key, applied);
    return applied;
  }
}

/**
 * What `redact` makes of a text's JSON; undefined where nothing is redacted. That is found out with JSON.parse: to keep
 * every digit takes several times as long.
 */
function rewritten(json: string, redact: (whole: Json) => JsonObject | undefined): JsonObject | undefined {
  return redact(JSON.parse(json) as Json) === undefined ? undefined : redact(parseExact(json));
}

function withRedactedData(
  event: Json,
  appliedTo: (data: Json | undefined) => Applied | undefined,
): JsonObject | undefined {
  if (!isJsonObject(event)) return undefined;
  const data = redactedData(event["data"], appliedTo(event["data"]));
  return data === undefined ? undefined : { ...event, data };
}

/** Undefined where nothing is redacted. */
function redactedData(data: Json | undefined, applied: Applied | undefined): JsonObject | undefined {
  if (!isJsonObject(data) || applied === undefined) return undefined;
  const { positions, patterns } = applied;
  const scrubber = new Scrubber(patterns);
  const redacted = eachMember(data, scrubber, (name, value) =>
    memberOfData(name, value, { positions, scrubber }),
  );
  if (scrubber.places.length === 0) return undefined;
  const before = Array.isArray(data["redacted"]) ? (data["redacted"] as string[]) : [];
  return { ...redacted, redacted: [...new Set([...before, ...scrubber.places])] };
}

function eachMember(
  object: JsonObject,
  scrubber: Scrubber,
  scrub: (name: string, value: Json) => Json,
): JsonObject {
  const members = Object.entries(object).map(([name, value]): [string, Json] => [
    name,
    scrubber.within(name, () => scrub(name, value)),
  ]);
  return Object.fromEntries(members);
}

interface Scrubbing {
  readonly positions: readonly Position[];
  readonly scrubber: Scrubber;
}

/** What the feed says itself, in words of its own, stays; the reason in a control event is often somebody else's. */
function memberOfData(name: string, value: Json, scrubbing: Scrubbing): Json {
  const { positions, scrubber } = scrubbing;
  if (name === "after" || name === "before") return scrubber.value(value, positions);
  if (name === "changes" && Array.isArray(value)) return eachItem(value, scrubbing, changeWithout);
  if (name === "spec" && isJsonObject(value)) return specWithout(value, scrubbing);
  if (name === "log" && isJsonObject(value)) {
    return eachMember(value, scrubber, (member, text) =>
      member === "lines" ? scrubber.value(text, []) : text,
    );
  }
  if (name === "node" && isJsonObject(value)) {
    return eachMember(value, scrubber, (member, found) => {
      if (!Array.isArray(found)) return found;
      return member === "changes" ? eachItem(found, scrubbing, changeWithout) : scrubber.value(found, []);
    });
  }
  if (name === "resource" && isJsonObject(value)) return resourceWithout(value, scrubbing);
  return name === "reason" ? scrubber.value(value, []) : value;
}

function eachItem(
  items: readonly Json[],
  scrubbing: Scrubbing,
  scrub: (item: Json, scrubbing: Scrubbing) => Json,
): Json[] {
  return items.map((item, at) => scrubbing.scrubber.within(String(at), () => scrub(item, scrubbing)));
}

/** A version of a job's specification: what it changed, and the paths of what was redacted. */
function specWithout(spec: JsonObject, scrubbing: Scrubbing): Json {
  const { scrubber } = scrubbing;
  return eachMember(spec, scrubber, (name, value) => {
    if (name === "diff" && isJsonObject(value)) {
      return eachMember(value, scrubber, (member, changes) =>
        member === "changes" && Array.isArray(changes)
          ? eachItem(changes, scrubbing, changeWithout)
          : changes,
      );
    }
    if (!Array.isArray(value)) return value;
    return eachItem(value, scrubbing, (path) =>
      typeof path === "string" ? scrubber.path(namesOf(path)) : path,
    );
  });
}

function changeWithout(change: Json, { positions, scrubber }: Scrubbing): Json {
  if (!isJsonObject(change) || typeof change["path"] !== "string") return change;
  const names = namesOf(change["path"]);
  let reached: readonly Position[] | "redacted" = positions;
  for (const name of names) if (reached !== "redacted") reached = step(reached, name);
  return eachMember(change, scrubber, (name, value) => {
    if (name === "path") return scrubber.path(names);
    // Of a specification's change: a word of the feed's own.
    return name === "kind" ? value : scrubber.value(value, reached);
  });
}

/** What the block says of an object's relations, by the fields of the stub that it says it from. */
function resourceWithout(block: JsonObject, { positions, scrubber }: Scrubbing): JsonObject {
  const { type = null } = block;
  if (typeof type !== "string" || !isResourceType(type)) return block;
  const { nameField, references } = RESOURCES[type];
  const fields = new Map<string, string | undefined>(Object.entries({ name: nameField, ...references }));
  return eachMember(block, scrubber, (name, value) => {
    const field = fields.get(name);
    return field === undefined ? value : scrubber.value(value, step(positions, field));
  });
}

/** What filters and indexes know of the object's relations, as the block has them now. */
function relationsOf(
  { job, node }: Pick<EventFacts, "job" | "node">,
  data: Json | undefined,
): Pick<EventFacts, "job" | "node"> {
  const resource = isJsonObject(data) ? data["resource"] : undefined;
  const shown = isJsonObject(resource) ? resource : {};
  return {
    job: shown["job"] === REDACTED ? REDACTED : job,
    node: shown["node"] === REDACTED ? REDACTED : node,
  };
}

function appliesTo(
  { resources, namespaces }: RedactionRule,
  resource: string | null,
  namespace: string | null,
): boolean {
  const isOneOf = (wanted: readonly string[] | undefined, name: string | null) =>
    wanted === undefined || (name !== null && wanted.includes(name));
  return isOneOf(resources, resource) && isOneOf(namespaces, namespace);
}

function textOrNull(value: Json): string | null {
  return typeof value === "string" ? value : null;
}
