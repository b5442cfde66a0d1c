import type { Stub } from "../schemas/change.ts";
import type { ChangeData, Enrichment } from "../schemas/event-schema.ts";
import type { JsonChange } from "./json-diff.ts";
import { fitSpec } from "./spec/fit-spec.ts";
import { jsonText, stubText } from "../schemas/line-safe.ts";

export const DEFAULT_MAX_EVENT_BYTES = 64 * 1024;

/** What the log adds when it gives the event its place (sequence, cursor, dataref), and the closing brace. */
const SEAL_BYTES = 192;

/** The members of an event's `data`. The stub's bytes go in as they are. */
export interface DataParts {
  readonly lead: Pick<ChangeData, "op" | "aspect" | "resource" | "version" | "actor" | "explanation"> & {
    readonly signals: readonly string[];
  };
  readonly beside?: Omit<Enrichment, "actor">;
  readonly changes: readonly JsonChange[] | undefined;
  readonly before?: Stub | undefined;
  readonly after?: Stub | undefined;
  readonly rev: ChangeData["rev"];
  readonly observed: ChangeData["observed"];
}

export function dataText(parts: DataParts): string {
  return joined(
    parts,
    parts.changes?.map((change) => jsonText(change)),
    0,
  );
}

/**
 * `whole`, or what of it fits: first the stub leaves, then what of a specification's changes has no room, then the changes
 * that have none, in favour of those that have; `changesTruncated` says how many. Envelope, resource, rev and observed always stay.
 */
export function fitData(parts: DataParts, whole: string, maxBytes: number): string {
  const budget = maxBytes - SEAL_BYTES;
  if (Buffer.byteLength(whole) <= budget) return whole;
  const { before: _before, after: _after, ...stubless } = parts;
  const texts = stubless.changes?.map((change) => jsonText(change));
  const over = Buffer.byteLength(joined(stubless, texts, 0)) - budget;
  const slim = over > 0 ? { ...stubless, beside: lessOf(stubless.beside, over) } : stubless;
  const slimText = joined(slim, texts, 0);
  if (texts === undefined || Buffer.byteLength(slimText) <= budget) return slimText;
  let room = budget - Buffer.byteLength(joined(slim, [], texts.length));
  const fitting = texts.filter((text) => {
    const bytes = Buffer.byteLength(text) + 1;
    if (bytes > room) return false;
    room -= bytes;
    return true;
  });
  return joined(slim, fitting, texts.length - fitting.length);
}

const TOO_LARGE = { unavailable: "Too large for the event: dataref has it" };

function lessOf(beside: DataParts["beside"] = {}, bytes: number): NonNullable<DataParts["beside"]> {
  const { spec, log, node } = beside;
  // Of what kinds of objects they are, there is one of them at most.
  if (log !== undefined) return { log: TOO_LARGE };
  if (node !== undefined) return { node: TOO_LARGE };
  if (spec === undefined || "unavailable" in spec) return beside;
  return { ...beside, spec: fitSpec(spec, Buffer.byteLength(jsonText(spec)) - bytes) };
}

function joined(parts: DataParts, changes: readonly string[] | undefined, truncated: number): string {
  const members = [
    jsonText(parts.lead).slice(1, -1),
    jsonText(parts.beside ?? {}).slice(1, -1),
    changes === undefined ? "" : `"changes":[${changes.join(",")}]`,
    truncated === 0 ? "" : `"changesTruncated":${truncated}`,
    parts.before === undefined ? "" : `"before":${stubText(parts.before.bytes)}`,
    parts.after === undefined ? "" : `"after":${stubText(parts.after.bytes)}`,
    `"rev":${JSON.stringify(parts.rev)}`,
    `"observed":${JSON.stringify(parts.observed)}`,
  ];
  return `{${members.filter((member) => member !== "").join(",")}}`;
}
