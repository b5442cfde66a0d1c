import { z } from "zod";
import { notesOf, type FieldNotes } from "../schemas/destinations/fields.ts";
import { didYouMean } from "../schemas/nearest.ts";
import { quoted } from "../shared/quoted.ts";
import type { FileSection } from "./file.ts";

type Path = readonly PropertyKey[];

/** A place in a section of the file: `destinations.ops-webhook`. */
export interface Place {
  readonly section: FileSection;
  /** The section's own name. */
  readonly name: string;
  readonly path: Path;
}

/** `feed.yaml:14: destinations.ops-webhook.batch.events: …` */
export function problemAt({ section, name, path }: Place, within: Path, problem: string): string {
  const whole = [...path, ...within];
  const named = section.within === undefined ? [name] : [section.within, name];
  return `${section.file}:${section.lineOf(whole)}: ${dotted([...named, ...whole])}: ${problem}`;
}

function dotted(path: Path): string {
  return path.reduce<string>(
    (text, step) =>
      typeof step === "number" ? `${text}[${step}]` : `${text}${text === "" ? "" : "."}${String(step)}`,
    "",
  );
}

/** What stands at a place, checked; or what is wrong with it, all of it, one sentence each. */
export function parseAt<Value>(
  schema: z.ZodType<Value>,
  given: unknown,
  place: Place,
): { value: Value; problems: [] } | { value: undefined; problems: string[] } {
  const parsed = schema.safeParse(given);
  if (parsed.success) return { value: parsed.data, problems: [] };
  const problems = parsed.error.issues.flatMap((issue) => problemsOf(issue, { schema, given, place }));
  return { value: undefined, problems };
}

interface Parsing {
  readonly schema: z.ZodType;
  readonly given: unknown;
  readonly place: Place;
}

function problemsOf(issue: z.core.$ZodIssue, { schema, given, place }: Parsing): string[] {
  if (issue.code === "unrecognized_keys") {
    const allowed = keysOf(schemaAt(schema, issue.path));
    return issue.keys.map((key) =>
      problemAt(
        place,
        [...issue.path, key],
        `there is no such key${didYouMean(key, allowed)}; allowed: ${allowed.join(", ")}`,
      ),
    );
  }
  if (issue.code === "custom" && !isBare(issue.message)) return [problemAt(place, issue.path, issue.message)];
  const notes = notesAt(schema, issue.path);
  const ends = notes === undefined ? "" : `; allowed: ${notes.allowed}`;
  return [problemAt(place, issue.path, `${describe(valueAt(given, issue.path), notes)}${ends}`)];
}

/** Messages of which `allowed` says more. */
function isBare(message: string): boolean {
  return message === "not allowed" || message === "Invalid input";
}

function describe(value: unknown, notes: FieldNotes | undefined): string {
  if (value === undefined || value === null) return "is missing";
  if (notes?.hidden === true) return "what is given (not shown) is not allowed";
  if (typeof value === "object") return `${Array.isArray(value) ? "this list" : "a map"} is not allowed`;
  // Where a map belongs, what stands there may be a secret of it.
  if (notes === undefined || typeof value === "boolean") return "what is given is not allowed";
  return `${quoted(typeof value === "string" ? value : JSON.stringify(value))} is not allowed`;
}

function valueAt(given: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, step) =>
      typeof value === "object" && value !== null && Object.hasOwn(value, step)
        ? (value as Record<PropertyKey, unknown>)[step]
        : undefined,
    given,
  );
}

/** What is known of the field at a path: of itself, or else of what holds it. */
export function notesAt(schema: z.ZodType, path: Path): FieldNotes | undefined {
  let notes: FieldNotes | undefined;
  let current: z.ZodType | undefined = schema;
  for (let depth = 0; current !== undefined; depth++) {
    const layers: z.ZodType[] = layersOf(current);
    notes = layers.map(notesOf).find((found) => found !== undefined) ?? notes;
    if (depth === path.length) break;
    current = memberOf(layers, path[depth] as PropertyKey);
  }
  return notes;
}

function schemaAt(schema: z.ZodType, path: Path): z.ZodType | undefined {
  return path.reduce<z.ZodType | undefined>(
    (current, step) => (current === undefined ? undefined : memberOf(layersOf(current), step)),
    schema,
  );
}

function keysOf(schema: z.ZodType | undefined): string[] {
  const objects =
    schema === undefined ? [] : layersOf(schema).filter((layer) => layer instanceof z.ZodObject);
  return objects.flatMap((object) => Object.keys(object.shape));
}

/** A schema and what it wraps: the field behind a default, the alternatives of a union. */
function layersOf(schema: z.ZodType): z.ZodType[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodPrefault)
    return [schema, ...layersOf(schema.unwrap() as z.ZodType)];
  if (schema instanceof z.ZodLazy) return [schema, ...layersOf(schema.unwrap() as z.ZodType)];
  if (schema instanceof z.ZodPipe) return [schema, ...layersOf(schema.in as z.ZodType)];
  if (schema instanceof z.ZodUnion)
    return [schema, ...(schema.options as z.ZodType[]).flatMap((option) => layersOf(option))];
  return [schema];
}

function memberOf(layers: readonly z.ZodType[], step: PropertyKey): z.ZodType | undefined {
  for (const layer of layers) {
    if (layer instanceof z.ZodObject && Object.hasOwn(layer.shape, step))
      return (layer.shape as Record<PropertyKey, z.ZodType>)[step];
    if (layer instanceof z.ZodRecord) return layer.valueType as z.ZodType;
    if (layer instanceof z.ZodArray) return layer.element as z.ZodType;
  }
  return undefined;
}

/** Every value that is no map and no list, with its path. */
export function leavesOf(value: unknown, path: Path = []): { path: Path; value: unknown }[] {
  if (typeof value !== "object" || value === null) return value === undefined ? [] : [{ path, value }];
  return Object.entries(value).flatMap(([key, inside]) =>
    leavesOf(inside, [...path, Array.isArray(value) ? Number(key) : key]),
  );
}
