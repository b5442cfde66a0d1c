import type { Arrived } from "./register-destination.ts";

/** The events of JSON lines; every line has to be whole. */
export function eventsOf(text: string): Arrived[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((json) => ({ id: (JSON.parse(json) as { id: string }).id, json }));
}
