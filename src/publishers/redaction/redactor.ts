import { Regex } from "../../filters/regex/regex.ts";
import type { StateEntry } from "../../feed/log.ts";
import type { EventFacts, LogEntry } from "../../schemas/draft.ts";
import { isJsonObject, parseExact, type Json, type JsonObject } from "../../schemas/json.ts";
import { jsonText } from "../../schemas/line-safe.ts";
import { REDACTED, type RedactionRule } from "../../schemas/redaction-schema.ts";
import { isResourceType, RESOURCES } from "../../schemas/resources.ts";
import { beginOf, namesOf, pointerOf, step, type Position } from "./path-positions.ts";
import { Scrubber } from "./scrubber.ts";

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
    const event = parseExact(entry.json);
    const data = isJsonObject(event) ? this.#data(event["data"], applied) : undefined;
    if (!isJsonObject(event) || data === undefined) return entry;
    return { ...entry, ...relationsOf(entry, data), json: jsonText({ ...event, data }) };
  }

  /** The same of an event's text alone. */
  eventText(json: string): string {
    const event = parseExact(json);
    if (!isJsonObject(event)) return json;
    const data = this.#dataOfObject(event["data"]);
    return data === undefined ? json : jsonText({ ...event, data });
  }

  /** The same of the text of an event's `data`. */
  dataText(json: string): string {
    const data = this.#dataOfObject(parseExact(json));
    return data === undefined ? json : jsonText(data);
  }

  state(entry: StateEntry): RedactedState {
    const applied = this.#appliedTo(entry.ref.resource, entry.ref.namespace);
    if (applied === undefined) return entry;
    const scrubber = new Scrubber(applied.patterns);
    const stub = scrubber.value(parseExact(entry.stub.toString("utf8")), applied.positions, ["after"]);
    if (scrubber.places.length === 0 || !isJsonObject(stub)) return entry;
    return { ...entry, stub: Buffer.from(jsonText(stub)), redacted: scrubber.places.map(pointerOf) };
  }

  #dataOfObject(data: Json | undefined): JsonObject | undefined {
    const of = isJsonObject(data) ? (data["resource"] ?? data["scope"]) : undefined;
    const { resource = null, type = resource, namespace = null } = isJsonObject(of) ? of : {};
    const applied = this.#appliedTo(textOrNull(type), textOrNull(namespace));
    return applied === undefined ? undefined : this.#data(data, applied);
  }

  /** Undefined where nothing is redacted. */
  #data(data: Json | undefined, { positions, patterns }: Applied): JsonObject | undefined {
    if (!isJsonObject(data)) return undefined;
    const scrubber = new Scrubber(patterns);
    const members = Object.entries(data).map(([name, value]): [string, Json] => [
      name,
      memberOfData(name, value, { positions, scrubber }),
    ]);
    if (scrubber.places.length === 0) return undefined;
    const before = Array.isArray(data["redacted"]) ? (data["redacted"] as string[]) : [];
    const places = [...new Set([...before, ...scrubber.places.map(pointerOf)])];
    return { ...Object.fromEntries(members), redacted: places };
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
    this.#applied.set(key, applied);
    return applied;
  }
}

interface Scrubbing {
  readonly positions: readonly Position[];
  readonly scrubber: Scrubber;
}

/** What the feed says itself, in words of its own, stays; the reason in a control event is often somebody else's. */
function memberOfData(name: string, value: Json, { positions, scrubber }: Scrubbing): Json {
  if (name === "after" || name === "before") return scrubber.value(value, positions, [name]);
  if (name === "changes" && Array.isArray(value)) {
    return value.map((change, at) => changeWithout(change, ["changes", String(at)], { positions, scrubber }));
  }
  if (name === "resource" && isJsonObject(value)) return resourceWithout(value, { positions, scrubber });
  if (name === "reason") return scrubber.value(value, [], [name]);
  return value;
}

function changeWithout(change: Json, place: readonly string[], { positions, scrubber }: Scrubbing): Json {
  if (!isJsonObject(change) || typeof change["path"] !== "string") return change;
  const names = namesOf(change["path"]);
  let reached: readonly Position[] | "redacted" = positions;
  for (const name of names) if (reached !== "redacted") reached = step(reached, name);
  const members = Object.entries(change).map(([name, value]): [string, Json] => {
    if (name === "path") return [name, scrubber.path(names, [...place, name])];
    return [name, scrubber.value(value, reached, [...place, name])];
  });
  return Object.fromEntries(members);
}

/** What the block says of an object's relations, by the fields of the stub that it says it from. */
function resourceWithout(block: JsonObject, { positions, scrubber }: Scrubbing): JsonObject {
  const { type = null } = block;
  if (typeof type !== "string" || !isResourceType(type)) return block;
  const { nameField, references } = RESOURCES[type];
  const fields = new Map<string, string | undefined>(Object.entries({ name: nameField, ...references }));
  const members = Object.entries(block).map(([name, value]): [string, Json] => {
    const field = fields.get(name);
    return [
      name,
      field === undefined ? value : scrubber.value(value, step(positions, field), ["resource", name]),
    ];
  });
  return Object.fromEntries(members);
}

/** What filters and indexes know of the object's relations, as the block has them now. */
function relationsOf({ job, node }: EventFacts, { resource }: JsonObject): Pick<EventFacts, "job" | "node"> {
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
