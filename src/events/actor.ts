import type { Change } from "../schemas/change.ts";
import type { Actor } from "../schemas/event-schema.ts";
import { isJsonObject, type JsonObject } from "../schemas/json.ts";
import { inside } from "./signals/transition.ts";

/**
 * Who made the change, where the object itself says so: who began, changed or canceled a node's drain. Nomad sets it
 * from the request that it authenticated; when a drain is over by itself, it leaves whoever began it, who did not end it.
 */
export function actorIn(change: Change): Actor | undefined {
  if (change.ref.resource !== "nodes" || change.op !== "update") return undefined;
  const [before, after] = [change.before.value, change.after.value].map(drainOf);
  const isTheirs = after !== undefined && after["UpdatedAt"] !== before?.["UpdatedAt"];
  if (!isTheirs || after["Status"] === "complete") return undefined;
  return actorOf(after["AccessorID"], "drain");
}

function drainOf(node: JsonObject): JsonObject | undefined {
  const drain = inside(node, "LastDrain");
  return isJsonObject(drain) ? drain : undefined;
}

/** As Nomad writes identities: `token:<accessor>`, `alloc:<id>`; before 1.5 the accessor alone. */
const IDENTITY = /^(?:([a-z]+):)?(.+)$/;
const NOBODY: ReadonlySet<string> = new Set(["acls-disabled", "anonymous"]);

/** Undefined where Nomad asked nobody who they are. */
export function actorOf(identity: unknown, basis: Actor["basis"]): Actor | undefined {
  const [, kind = "token", id = ""] = (typeof identity === "string" && IDENTITY.exec(identity)) || [];
  return id === "" || NOBODY.has(id) ? undefined : { kind, id, basis };
}
