import type { IncomingMessage } from "node:http";
import { parseGoDurationMs } from "../go-time.ts";

/** Nomad's cap and default for `wait`, ms. */
const MAX_WAIT_MS = 300_000;

const TRUE: readonly string[] = ["1", "t", "T", "TRUE", "true", "True"];

const MAX_UINT64 = 2n ** 64n - 1n;

/** The parameters every endpoint reads. */
export interface ApiRequest {
  readonly token: string;
  readonly region: string;
  readonly namespace: string;
  readonly prefix: string;
  /** Of volumes and plugins. */
  readonly type: string;
  /** Expression of Nomad's filter language; "" for none. */
  readonly filter: string;
  /** 0: all in one page. */
  readonly perPage: number;
  /** Where the page begins; "" for the first. */
  readonly nextToken: string;
  readonly stale: boolean;
  /** Of a job's versions: what each changed too. */
  readonly diffs: boolean;
  /** Whose log is asked for. */
  readonly task: string;
  /** Of a log, from its end. */
  readonly offset: number;
  /** 0: answer at once. */
  readonly minIndex: bigint;
  /** Without jitter, ms. */
  readonly waitMs: number;
  /** Called once, when the query first goes to sleep. */
  onSleep?: () => void;
}

export interface BadRequest {
  readonly badRequest: string;
}

/** Reads the request as Nomad's `parse` does, in its order and with its words. */
export function parseRequest(message: IncomingMessage, url: URL): ApiRequest | BadRequest {
  const query = url.searchParams;
  const stale = parseStale(query);
  if (stale === undefined)
    return { badRequest: "Expect `true` or `false` for `stale` query string parameter" };
  if (!/^$|^[+-]?\d+$/.test(query.get("per_page") ?? "")) {
    return { badRequest: "Expect a number for `per_page` query string parameter" };
  }
  const waitMs = parseWait(query.get("wait") ?? "");
  if (waitMs === undefined) return { badRequest: "Invalid wait time" };
  const minIndex = parseIndex(query.get("index") ?? "");
  if (minIndex === undefined) return { badRequest: "Invalid index" };
  return {
    token: tokenOf(message),
    region: query.get("region") ?? "",
    namespace: query.get("namespace") || "default",
    prefix: query.get("prefix") ?? "",
    type: query.get("type") ?? "",
    filter: query.get("filter") ?? "",
    perPage: Number(query.get("per_page") ?? 0),
    nextToken: query.get("next_token") ?? "",
    stale,
    diffs: TRUE.includes(query.get("diffs") ?? ""),
    task: query.get("task") ?? "",
    offset: Number(query.get("offset") ?? 0),
    minIndex,
    waitMs,
  };
}

function parseStale(query: URLSearchParams): boolean | undefined {
  const value = query.get("stale");
  if (value === null) return false;
  if (value === "" || TRUE.includes(value)) return true;
  return ["0", "f", "F", "FALSE", "false", "False"].includes(value) ? false : undefined;
}

function parseWait(text: string): number | undefined {
  if (text === "") return MAX_WAIT_MS;
  const waitMs = parseGoDurationMs(text);
  if (waitMs === undefined) return undefined;
  return waitMs <= 0 ? MAX_WAIT_MS : Math.min(waitMs, MAX_WAIT_MS);
}

function parseIndex(text: string): bigint | undefined {
  if (text === "") return 0n;
  if (!/^\d+$/.test(text)) return undefined;
  const index = BigInt(text);
  return index <= MAX_UINT64 ? index : undefined;
}

function tokenOf(message: IncomingMessage): string {
  const header = String(message.headers["x-nomad-token"] ?? "").trim();
  if (header !== "") return header;
  const match = /^bearer\s+(\S+)/i.exec(message.headers.authorization ?? "");
  return match?.[1] ?? "";
}

export function acceptsGzip(message: IncomingMessage): boolean {
  return /\bgzip\b/.test(message.headers["accept-encoding"] ?? "");
}
