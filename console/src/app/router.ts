import { computed, signal, type ReadonlySignal } from "@preact/signals";
import { partsOf } from "../words/names.ts";

/**
 * Where the page is: behind the `#` of the address, so that one file serves every page, below any proxy's path, and
 * what somebody looks at is in no server's log.
 */
export interface Route {
  /** Parts of the path: `#/object/jobs/default/web` is ["object", "jobs", "default", "web"]. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
}

/** Null or "" takes a parameter away. */
export type QueryChanges = Readonly<Record<string, string | null | undefined>>;

const current = signal(parse(location.hash));
export const route: ReadonlySignal<Route> = current;

addEventListener("hashchange", () => {
  current.value = parse(location.hash);
});

/** A parameter of the address. */
export function queryValue(name: string): string {
  return current.value.query.get(name) ?? "";
}

/** As of when everything is shown: a cursor or a time; "" is now. */
export const asOf = computed(() => queryValue("at"));

/** The address of a page; what is shown stays as of the same time. */
export function href(path: readonly string[], query: QueryChanges = {}): string {
  const at = "at" in query ? query["at"] : asOf.value;
  return hashOf(path, changed(new URLSearchParams(), { ...query, at }));
}

export function objectHref(subject: string): string {
  const { resource, namespace, key } = partsOf(subject);
  return href(["object", resource, namespace, key]);
}

export function eventHref(cursor: string): string {
  return href(["event", cursor], { at: null });
}

/** Goes to a page: one that the browser's back leads away from, unless it `replace`s the one before. */
export function go(to: string, { replace = false } = {}): void {
  if (replace) history.replaceState(null, "", to);
  else history.pushState(null, "", to);
  current.value = parse(to);
}

/** Out of the field one writes in; else to where one came from. */
export function goBack(): void {
  if (document.activeElement instanceof HTMLInputElement) document.activeElement.blur();
  else history.back();
}

/** Changes parameters and stays on the page. */
export function setQuery(changes: QueryChanges, options: { replace?: boolean } = { replace: true }): void {
  const { path, query } = current.value;
  go(hashOf(path, changed(new URLSearchParams(query), changes)), options);
}

function changed(query: URLSearchParams, changes: QueryChanges): URLSearchParams {
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === undefined || value === "") query.delete(name);
    else query.set(name, value);
  }
  return query;
}

function hashOf(path: readonly string[], query: URLSearchParams): string {
  const search = query.toString();
  return `#/${path.map(encodeURIComponent).join("/")}${search === "" ? "" : `?${search}`}`;
}

function parse(hash: string): Route {
  const [path = "", search = ""] = hash.replace(/^#?\/?/, "").split("?", 2);
  return { path: path.split("/").filter(Boolean).map(decoded), query: new URLSearchParams(search) };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
