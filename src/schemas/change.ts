import type { JsonObject } from "./json.ts";
import type { ObjectRef } from "./resources.ts";

/** One object's stub as Nomad sent it: its bytes (UTF-8 JSON, one object) and the same parsed exactly. */
export interface Stub {
  readonly bytes: Buffer;
  readonly value: JsonObject;
}

/** What differs for one object between two snapshots. Create has no `before`, delete no `after`. */
export type Change =
  | { readonly op: "create"; readonly ref: ObjectRef; readonly before?: never; readonly after: Stub }
  | { readonly op: "update"; readonly ref: ObjectRef; readonly before: Stub; readonly after: Stub }
  | { readonly op: "delete"; readonly ref: ObjectRef; readonly before: Stub; readonly after?: never };
