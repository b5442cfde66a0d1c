import { createHash } from "node:crypto";
import type { DetachedData } from "../../schemas/audit.ts";
import { memberTexts } from "../../schemas/json-members.ts";
import { MAX_UNIT_BYTES } from "../../shared/utf8.ts";
import { MAX_ENTRY_BYTES } from "../../tlog/bundle.ts";
import type { Outgoing } from "../delivery/destination.ts";
import { EntryTooLarge } from "./errors.ts";

/** The `data` of an event that is too large for an entry: a file of its own. */
export interface DetachedObject {
  /** Below the trail's directory: "objects/<SHA-256>". */
  readonly path: string;
  readonly bytes: Buffer;
}

export interface Entry {
  readonly text: string;
  readonly object?: DetachedObject;
}

/** An event's own bytes; where an entry cannot hold them, the event with its data's hash in place of its data. */
export function entryOf({ id, json }: Pick<Outgoing, "id" | "json">): Entry {
  if (fits(json)) return { text: json };
  const entry = detached(json);
  const bytes = Buffer.byteLength(entry.text);
  if (bytes > MAX_ENTRY_BYTES) throw new EntryTooLarge(id, bytes);
  return entry;
}

/** What is short fits however it is written; only of the rest the bytes are counted. */
function fits(text: string): boolean {
  return text.length <= MAX_ENTRY_BYTES / MAX_UNIT_BYTES || Buffer.byteLength(text) <= MAX_ENTRY_BYTES;
}

/** What stays keeps its bytes and its order. */
function detached(json: string): Entry & { readonly object: DetachedObject } {
  const members = memberTexts(json);
  const data = Buffer.from(members.get("data") ?? "null");
  const sha256 = createHash("sha256").update(data).digest("hex");
  const stands = {
    datasha256: sha256,
    datasize: data.length,
    dataref: `objects/${sha256}`,
  } satisfies DetachedData;
  // The feed's own dataref leads to where this event's data was too large for the feed itself.
  for (const name of ["data", "dataref"]) members.delete(name);
  const kept = [...members].map(([name, text]) => `${JSON.stringify(name)}:${text}`);
  const text = `{${[...kept, JSON.stringify(stands).slice(1, -1)].join(",")}}`;
  return { text, object: { path: stands.dataref, bytes: data } };
}
