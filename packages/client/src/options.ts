import { hideSecrets, isCutPassword } from "./address-text.ts";
import { ClientOptionInvalid } from "./errors.ts";
import type { NoticeType, TypeName } from "./items.ts";
import type { RetryOptions } from "./retry.ts";
import type { Aspect, Op, Payload, Severity } from "./wire.ts";

/**
 * `fail` ends with StreamRefused; `earliest` goes on from the earliest event kept, after a gap; `snapshot`, after the
 * gap, with the current objects.
 */
export type OnExpired<Snapshot extends boolean = boolean> =
  | "fail"
  | "earliest"
  | (Snapshot extends true ? "snapshot" : never);

/** Events after a cursor are gone: retention was faster, or the log lost its tail and began another history. */
export interface Loss {
  readonly reason: "expired" | "epoch-changed";
  readonly wanted: string;
  /** Whether the client came back with this cursor; else it is that of the options. */
  readonly resumed: boolean;
}

/** What to follow, from where. The names are those of the parameters in PROTOCOL.md section 3. */
export interface SubscribeOptions<
  Types extends TypeName = TypeName,
  Notices extends NoticeType = NoticeType,
  Snapshot extends boolean = boolean,
> {
  /** Address of the server: http(s):// or ws(s)://. */
  readonly url: string | URL;
  /** Resources, event types, "feed" for control events. */
  readonly types?: readonly Types[];
  readonly namespaces?: readonly string[];
  readonly ops?: readonly Op[];
  readonly aspects?: readonly Aspect[];
  readonly signals?: readonly string[];
  /** `resource/namespace/key` of single objects. */
  readonly subjects?: readonly string[];
  readonly minSeverity?: Severity;
  /** Where to start: a cursor, "earliest" or "latest" (default). */
  readonly cursor?: string;
  /** RFC 3339 time or age, as "10m". Not together with `cursor`. */
  readonly since?: string;
  /** Begin with the current objects, between two marks. Not together with `cursor` or `since`. */
  readonly snapshot?: Snapshot;
  /** An expression in Nomad's own language, or several that must all hold: docs/filters.md. */
  readonly filter?: string | readonly string[];
  /** How much of `data` to get. Default `full`. */
  readonly payload?: Payload;
  /** Events after which it ends. */
  readonly limit?: number;
  /** Parameters that have no option here, as text. */
  readonly parameters?: Readonly<Record<string, string | readonly string[]>>;
  /** A function is asked before each connection. */
  readonly token?: string | (() => string | Promise<string>);
  /** Ends it, without an error. */
  readonly signal?: AbortSignal;
  /** What to do where the cursor leads nowhere any more. Default `fail`. */
  readonly onexpired?: OnExpired<Snapshot> | ((loss: Loss) => OnExpired<Snapshot>);
  /** What else to be given: bookmarks, word of connections. */
  readonly notices?: readonly Notices[];
  /** A connection that says nothing for so long is given up. The server speaks every 15 s. Default 45000. */
  readonly silenceMs?: number;
  readonly retry?: RetryOptions;
}

const LISTS = ["types", "namespaces", "ops", "aspects", "signals", "subjects"] as const;
const SINGLE = ["minSeverity", "cursor", "since", "snapshot", "payload", "limit"] as const;
const SCHEMES = ["http:", "https:", "ws:", "wss:"];

/**
 * The address of the stream, with all parameters as they were given.
 * @throws ClientOptionInvalid where `url` is no address.
 */
export function streamUrl(options: SubscribeOptions): URL {
  const target = baseOf(options.url);
  target.protocol = target.protocol.replace(/^http/, "ws");
  target.pathname = joined(target, "/v1/events");
  for (const [name, values] of Object.entries(options.parameters ?? {})) {
    for (const value of [values].flat()) target.searchParams.append(name, value);
  }
  addParameter(target.searchParams, "filter", [options.filter ?? []].flat());
  for (const name of [...LISTS, ...SINGLE]) addParameter(target.searchParams, name, options[name]);
  return target;
}

export type ParameterValue = string | number | boolean | readonly string[];

/** Adds a list to what is there of it; anything else takes its place. */
export function addParameter(
  to: URLSearchParams,
  name: string,
  value: ParameterValue | null | undefined,
): void {
  if (value === undefined || value === null) return;
  if (typeof value !== "object") return to.set(name, String(value));
  // An empty list allows nothing, an absent one everything: the server refuses the former. All of no expressions hold.
  if (value.length === 0 && name !== "filter") to.append(name, "");
  for (const one of value) to.append(name, one);
}

/**
 * The address of another route of the same server, and what its user and password are as a header: `fetch` takes none
 * in an address.
 * @throws ClientOptionInvalid
 */
export function httpTarget(
  url: string | URL,
  path: string,
): { readonly address: string; readonly basic: string | undefined } {
  const target = baseOf(url);
  target.protocol = target.protocol.replace(/^ws/, "http");
  const [pathname = "", search = ""] = path.split("?");
  target.pathname = joined(target, pathname);
  target.search = search;
  const basic = basicOf(target);
  target.username = "";
  target.password = "";
  return { address: target.href, basic };
}

function basicOf({ username, password }: URL): string | undefined {
  if (username === "" && password === "") return undefined;
  const bytes = new TextEncoder().encode([username, password].map(decoded).join(":"));
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function baseOf(url: string | URL): URL {
  const text = String(url);
  const target = URL.canParse(text) ? new URL(text) : undefined;
  if (target === undefined || !SCHEMES.includes(target.protocol) || isCutPassword(target)) {
    throw new ClientOptionInvalid(
      `url: ${JSON.stringify(hideSecrets(text))} is not allowed; allowed: addresses such as http://127.0.0.1:4650`,
    );
  }
  target.search = "";
  target.hash = "";
  return target;
}

function joined({ pathname }: URL, path: string): string {
  return `${pathname.replace(/\/+$/, "")}${path}`;
}
