import { isJsonObject, type Json, type JsonObject } from "../schemas/json.ts";
import type { Resource } from "../schemas/resources.ts";

/** Whether what Nomad answers is made into another list, rather than passed on byte for byte. */
export function isShaped({ listOf, members }: Resource): boolean {
  return listOf !== undefined || members !== undefined;
}

/** The list that the rest of the feed sees: what is left out here is nowhere in the process from here on. */
export function shapedList({ listOf, members }: Resource, answer: Json, beside: Json): Buffer {
  const listed = listOf?.(answer, beside) ?? (Array.isArray(answer) ? answer.filter(isJsonObject) : []);
  const taken = members === undefined ? listed : listed.map((element) => only(members, element));
  return Buffer.from(JSON.stringify(taken));
}

function only(members: readonly string[], element: JsonObject): JsonObject {
  return Object.fromEntries(
    members.flatMap((name) => (Object.hasOwn(element, name) ? [[name, element[name] as Json] as const] : [])),
  );
}
