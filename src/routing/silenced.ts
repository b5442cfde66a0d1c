import type { AlertJson } from "../schemas/alert-schema.ts";
import type { Silence } from "../schemas/routes.ts";
import { matching, type Matching } from "./matching.ts";

/** Those that keep people from being told of the alert at `now`, ms since 1970. */
export function silencesOf(silences: readonly Silence[], alert: AlertJson, now: number): Silence[] {
  return silences.filter(
    ({ matchers, startsAt, endsAt }) =>
      Date.parse(startsAt) <= now && now < Date.parse(endsAt) && matchingOf(matchers)(alert) === undefined,
  );
}

const compiled = new WeakMap<Silence["matchers"], Matching>();

/** Compiled once for as long as the silence is known. */
function matchingOf(matchers: Silence["matchers"]): Matching {
  const known = compiled.get(matchers) ?? matching(matchers);
  compiled.set(matchers, known);
  return known;
}
