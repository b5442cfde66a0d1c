import { alertFilter } from "../routing/alert-filter.ts";
import { didYouMean } from "../schemas/nearest.ts";
import { routeSchema, type RouteSettings } from "../schemas/routes.ts";
import { quoted } from "../shared/quoted.ts";
import { sentenceOf } from "./conditions.ts";
import type { FileSection } from "./file.ts";
import { parseAt, problemAt, type Place } from "./section.ts";
import { ChangefeedError } from "../schemas/errors.ts";

/** Who is told of which alerts, and what is wrong with it, one sentence each. `names`: the destinations for people. */
export function routesOf(
  section: FileSection | undefined,
  names: readonly string[],
): { routes: RouteSettings[]; problems: string[] } {
  if (section === undefined || section.value === null) return { routes: [], problems: [] };
  const whole: Place = { section, name: "routes", path: [] };
  if (!Array.isArray(section.value)) {
    const problem = problemAt(whole, [], "is not a list; allowed: routes, a dash before each");
    return { routes: [], problems: [problem] };
  }
  const read = section.value.map((given: unknown, at) => routeAt({ ...whole, path: [at] }, given, names));
  return {
    routes: read.flatMap(({ route }) => route ?? []),
    problems: read.flatMap(({ problems }) => problems),
  };
}

function routeAt(
  place: Place,
  given: unknown,
  names: readonly string[],
): { route: RouteSettings | undefined; problems: string[] } {
  const { value: route, problems } = parseAt(routeSchema, given, place);
  if (route === undefined) return { route, problems };
  // What is in no route within goes where this one says: nothing is lost by omission.
  const open = route.to === undefined ? [problemAt(place, ["to"], `is missing; ${allowedOf(names)}`)] : [];
  return { route, problems: [...open, ...problemsOf(place, route, names)] };
}

/** Of the route and those within: what only its neighbours and the filter language can tell. */
function problemsOf(place: Place, route: RouteSettings, names: readonly string[]): string[] {
  const within = (route.routes ?? []).flatMap((inner, at) =>
    problemsOf({ ...place, path: [...place.path, "routes", at] }, inner, names),
  );
  return [...filterProblems(place, route), ...nameProblems(place, route, names), ...within];
}

/** What is wrong with a filter of alerts. */
export function filterProblems(place: Place, { filter }: Pick<RouteSettings, "filter">): string[] {
  if (filter === undefined) return [];
  try {
    alertFilter(filter);
    return [];
  } catch (error) {
    if (!(error instanceof ChangefeedError)) throw error;
    const [sentence = ""] = sentenceOf(error).split("\n");
    return [problemAt(place, ["filter"], sentence)];
  }
}

function nameProblems(place: Place, { to = [] }: RouteSettings, names: readonly string[]): string[] {
  return to
    .filter((name) => !names.includes(name))
    .map((name) =>
      problemAt(
        place,
        ["to"],
        `${quoted(name)} is no destination for people${didYouMean(name, names)}; ${allowedOf(names)}`,
      ),
    );
}

function allowedOf(names: readonly string[]): string {
  return `allowed: ${["none", ...names].join(", ")}`;
}
