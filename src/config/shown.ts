import type { z } from "zod";
import { TOLD_SCHEMAS, type ToldConfig } from "../schemas/destinations/told.ts";
import { isReference } from "../schemas/destinations/fields.ts";
import { DESTINATION_SCHEMAS, type DestinationConfig } from "../schemas/destinations/index.ts";
import { routeSchema, type RouteSettings } from "../schemas/routes.ts";
import { leavesOf, notesAt } from "./section.ts";

/** What a destination has, by the path of each field, as an operator would write it. No secret is in it. */
export function shownSettings({
  settings,
}: Pick<DestinationConfig, "settings"> | Pick<ToldConfig, "settings">): Map<string, string> {
  return shownFields(settings, DESTINATION_SCHEMAS.get(settings.type) ?? TOLD_SCHEMAS.get(settings.type));
}

/** All routes by their places in the tree, "0" and within it "0.0", each with what it says itself. */
export function shownRoutes(
  routes: readonly RouteSettings[],
  prefix = "",
): { id: string; settings: Map<string, string> }[] {
  return routes.flatMap(({ routes: within = [], ...settings }, at) => {
    const id = `${prefix}${at}`;
    const shown = shownFields(settings, routeSchema);
    if (settings.to?.length === 0) shown.set("to", "none");
    return [{ id, settings: shown }, ...shownRoutes(within, `${id}.`)];
  });
}

function shownFields(settings: object, schema: z.ZodType | undefined): Map<string, string> {
  const shown = new Map<string, string>();
  for (const { path, value } of leavesOf(settings)) {
    const notes = schema === undefined ? undefined : notesAt(schema, path);
    const field = path.filter((step) => typeof step === "string").join(".");
    const text = notes?.hidden === true ? withoutSecret(String(value)) : printed(value, notes?.print);
    const before = shown.get(field);
    shown.set(field, before === undefined ? text : `${before},${text}`);
  }
  return shown;
}

/** Items of a list come one by one. */
function printed(value: unknown, print: ((value: never) => string) | undefined): string {
  return typeof value === "string" || print === undefined ? String(value) : print(value as never);
}

/** A reference as it is, of an address where it leads; anything else may be a secret. */
function withoutSecret(text: string): string {
  if (isReference(text)) return text;
  if (!URL.canParse(text)) return "[redacted]";
  const { protocol, host, pathname, search } = new URL(text);
  return `${protocol}//${host}${pathname.length > 1 || search !== "" ? "/…" : ""}`;
}
