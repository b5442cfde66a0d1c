import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { z } from "zod";
import {
  DESTINATION_SCHEMAS,
  type DestinationConfig,
  type DestinationSettings,
} from "../schemas/destinations/index.ts";
import { AUDIT_DELIVERY } from "../schemas/destinations/audit.ts";
import { TOLD_SCHEMAS, type ToldConfig, type ToldSettings } from "../schemas/destinations/told.ts";
import { ALERT_DESTINATION_SCHEMAS } from "../schemas/destinations/alert-destinations.ts";
import { DESTINATION_NAME, NAME_ALLOWED } from "../schemas/destinations/common.ts";
import { isReference } from "../schemas/destinations/fields.ts";
import { ChangefeedError } from "../schemas/errors.ts";
import { didYouMean } from "../schemas/nearest.ts";
import { quoted } from "../shared/quoted.ts";
import { parseSigners } from "../tlog/note-keys.ts";
import { conditionsAt, type FilterLanguage } from "./conditions.ts";
import type { FileSection } from "./file.ts";
import { filterProblems } from "./routes.ts";
import type { SecretReader } from "./secrets.ts";
import { leavesOf, notesAt, parseAt, problemAt, type Place } from "./section.ts";

/** What the sections of the file need to be read. */
export interface SectionReaders {
  readonly language: FilterLanguage;
  readonly readSecret: SecretReader;
}

interface Destinations {
  readonly destinations: DestinationConfig[];
  readonly alertDestinations: ToldConfig[];
  readonly problems: string[];
}

/** The destinations of the file, and what is wrong with any of them, one sentence each. */
export function destinationsOf(section: FileSection | undefined, readers: SectionReaders): Destinations {
  const none = { destinations: [], alertDestinations: [] };
  if (section === undefined || section.value === null) return { ...none, problems: [] };
  const whole: Place = { section, name: "destinations", path: [] };
  if (!isMap(section.value)) {
    const problem = problemAt(whole, [], "is not a map; allowed: names, and below each what is there");
    return { ...none, problems: [problem] };
  }
  const read = Object.entries(section.value).map(([name, given]) =>
    destinationAt({ ...whole, path: [name] }, { name, given }, readers),
  );
  const destinations = read.flatMap(({ destination }) => destination ?? []);
  const alertDestinations = read.flatMap(({ alertDestination }) => alertDestination ?? []);
  const problems = read.flatMap((one) => one.problems);
  return {
    destinations,
    alertDestinations,
    problems: [...problems, ...formerNameProblems(destinations, section.value, whole)],
  };
}

/** Those that routes may lead to, also where something else is wrong with them. */
export function namesForPeople(section: FileSection | undefined): string[] {
  if (!isMap(section?.value)) return [];
  const isForPeople = (given: unknown) =>
    isMap(given) && ALERT_DESTINATION_SCHEMAS.has(String(given["type"]));
  return Object.entries(section.value).flatMap(([name, given]) => (isForPeople(given) ? [name] : []));
}

interface Named {
  readonly name: string;
  readonly given: unknown;
}

interface Read {
  readonly destination?: DestinationConfig;
  readonly alertDestination?: ToldConfig;
  readonly problems: string[];
}

function destinationAt(place: Place, { name, given }: Named, readers: SectionReaders): Read {
  if (!DESTINATION_NAME.test(name)) {
    return { problems: [problemAt(place, [], `${quoted(name)} cannot be a name; allowed: ${NAME_ALLOWED}`)] };
  }
  if (!isMap(given))
    return { problems: [problemAt(place, [], "is not a map; allowed: type, and what it takes")] };
  const alertSchema = TOLD_SCHEMAS.get(String(given["type"]));
  if (alertSchema !== undefined)
    return alertDestinationAt(place, { name, given }, { ...readers, schema: alertSchema });
  const { language, readSecret } = readers;
  const schema = DESTINATION_SCHEMAS.get(String(given["type"]));
  if (schema === undefined) return { problems: [problemAt(place, ["type"], typeProblem(given["type"]))] };
  const { conditions, problems: wrongConditions } = conditionsAt(given, schema.shape, { place, language });
  const { value: settings, problems } = parseAt<DestinationSettings>(schema, given, place);
  if (settings === undefined) return { problems: [...problems, ...wrongConditions] };
  const behind = whatIsBehind(settings, { schema, place, readSecret });
  const wrongKeys = behind.problems.length > 0 ? [] : keyProblems(settings, place, readSecret);
  const allProblems = [...wrongConditions, ...behind.problems, ...wrongKeys];
  if (allProblems.length > 0) return { problems: allProblems };
  const { from, batch, retry, timeout, formerName } = settings;
  const { payload, ordering, inFlight, onPoison } = settings.type === "audit" ? AUDIT_DELIVERY : settings;
  return {
    problems: [],
    destination: {
      name,
      line: place.section.lineOf(place.path),
      settings,
      conditions,
      payload,
      from,
      ordering,
      inFlight: ordering === "strict" ? 1 : inFlight,
      batch: { maxEvents: batch.events, maxBytes: batch.bytes, maxAgeMs: batch.age },
      timeoutMs: timeout,
      retry: { firstMs: retry.first, mostMs: retry.most },
      onPoison,
      ...(formerName === undefined ? {} : { formerName }),
      fingerprint: fingerprintOf(settings, behind.texts),
    },
  };
}

/** One that is told of alerts, and gets no events. */
function alertDestinationAt(
  place: Place,
  { name, given }: Named,
  { schema, readSecret }: SectionReaders & { schema: z.ZodType<ToldSettings> },
): Read {
  const { value: settings, problems } = parseAt<ToldSettings>(schema, given, place);
  if (settings === undefined) return { problems };
  const behind = whatIsBehind(settings, { schema, place, readSecret });
  const wrongFilter = settings.type === "alertmanager" ? filterProblems(place, settings) : [];
  const allProblems = [...wrongFilter, ...behind.problems];
  if (allProblems.length > 0) return { problems: allProblems };
  const line = place.section.lineOf(place.path);
  const fingerprint = fingerprintOf(settings, behind.texts);
  return { problems: [], alertDestination: { name, line, settings, fingerprint } };
}

function typeProblem(type: unknown): string {
  const types = [...DESTINATION_SCHEMAS.keys(), ...TOLD_SCHEMAS.keys()];
  const allowed = `allowed: ${types.join(", ")}`;
  if (typeof type !== "string") return `is missing; ${allowed}`;
  return `${quoted(type)} is not allowed${didYouMean(type, types)}; ${allowed}`;
}

/** What stands behind the references, and in the files that are named; or why it cannot be used. It is not quoted. */
function whatIsBehind(
  settings: DestinationSettings | ToldSettings,
  { schema, place, readSecret }: { schema: z.ZodType; place: Place; readSecret: SecretReader },
): { texts: string[]; problems: string[] } {
  const texts: string[] = [];
  const problems: string[] = [];
  for (const { path, value } of leavesOf(settings)) {
    const notes = notesAt(schema, path);
    if (typeof value !== "string" || notes === undefined) continue;
    try {
      if (notes.isPath === true) texts.push(readFileSync(value, "latin1"));
      else if (notes.behind !== undefined && isReference(value)) {
        const text = readSecret(value);
        texts.push(text);
        if (!notes.behind.pattern.test(text)) {
          problems.push(
            problemAt(
              place,
              path,
              `${value} holds something else (not shown); allowed: ${notes.behind.allowed}`,
            ),
          );
        }
      }
    } catch (error) {
      problems.push(problemAt(place, path, reasonOf(error, value)));
    }
  }
  return { texts, problems };
}

/** Keys of an audit trail that look like such keys, and cannot sign it, or not together. */
function keyProblems(settings: DestinationSettings, place: Place, readSecret: SecretReader): string[] {
  if (settings.type !== "audit") return [];
  try {
    parseSigners(settings.key.map(readSecret));
    return [];
  } catch (error) {
    if (!(error instanceof ChangefeedError)) throw error;
    return [problemAt(place, ["key"], error.message)];
  }
}

function reasonOf(error: unknown, path: string): string {
  if (error instanceof ChangefeedError) return error.message;
  const { code } = error as NodeJS.ErrnoException;
  return `the file ${quoted(path)} cannot be read${code === undefined ? "" : ` (${code})`}`;
}

function fingerprintOf(settings: object, texts: readonly string[]): string {
  return createHash("sha256")
    .update(JSON.stringify([settings, texts]))
    .digest("hex");
}

/** A position has one owner: nobody takes over that of a destination that is there, or that another takes over. */
function formerNameProblems(
  destinations: readonly DestinationConfig[],
  names: object,
  whole: Place,
): string[] {
  const taken = new Set(Object.keys(names));
  return destinations.flatMap(({ name, formerName }) => {
    if (formerName === undefined) return [];
    if (!taken.has(formerName)) {
      taken.add(formerName);
      return [];
    }
    return [problemAt(whole, [name, "formerName"], `${quoted(formerName)} belongs to another destination`)];
  });
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
