import type { Outgoing } from "../delivery/destination.ts";

const MEMBER = /\{(\w+)\}/g;

/** What may stand in braces in the subject of the settings. */
const MEMBERS: ReadonlyMap<string, (event: Outgoing) => string | null> = new Map([
  ["type", ({ type }) => type],
  ["resource", ({ type, resource }) => (type.startsWith("nomad.feed.") ? "feed" : resource)],
  ["namespace", ({ namespace }) => namespace],
  ["op", ({ op }) => op],
  ["severity", ({ severity }) => severity],
]);

/** The subject of an event: "nomad.{resource}.{namespace}.{op}" with what the event has; `-` for what it does not have. */
export function subjectOf(template: string, event: Outgoing): string {
  return template.replaceAll(MEMBER, (_, name: string) => token(MEMBERS.get(name)?.(event) ?? null));
}

/** Blanks and wildcards mean something in a subject, and cannot be escaped. */
function token(text: string | null): string {
  return text === null || text === "" ? "-" : text.replaceAll(/[\s*>]/g, "_");
}
