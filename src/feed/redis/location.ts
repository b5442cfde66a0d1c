/** Where a feed lives in Redis. */
export interface Location {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** PEM file of the authorities to trust, where it is not the system's. */
  readonly caFile: string | undefined;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly db: number;
  /** Begins every key of the feed; the braces keep them in one slot. */
  readonly prefix: string;
  /** The address without user and password. */
  readonly where: string;
}

const DEFAULT_FEED = "default";

/**
 * Reads `redis://[user:password@]host[:port][/db][?feed=name]`, or `rediss://` for TLS, then also with
 * `ca=<PEM file>`. Several feeds may share a Redis, each under its name. Undefined where the text is no such address.
 */
export function parseRedisUrl(text: string): Location | undefined {
  if (!/^rediss?:\/\//.test(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  const feed = url.searchParams.get("feed") ?? DEFAULT_FEED;
  const db = /^\/?(\d{0,4})$/.exec(url.pathname)?.[1];
  const others = [...url.searchParams.keys()].filter((name) => name !== "feed" && name !== "ca");
  const wrong = url.hostname === "" || url.hash !== "" || others.length > 0;
  if (wrong || db === undefined || !/^[A-Za-z0-9._-]{1,64}$/.test(feed)) return undefined;
  const port = Number(url.port || 6379);
  const host = url.hostname.replaceAll(/^\[|\]$/g, "");
  return {
    host,
    port,
    tls: url.protocol === "rediss:",
    caFile: url.searchParams.get("ca") ?? undefined,
    username: url.username === "" ? undefined : decodeURIComponent(url.username),
    password: url.password === "" ? undefined : decodeURIComponent(url.password),
    db: Number(db),
    prefix: `ncf:{${feed}}:`,
    where: `${url.protocol}//${url.hostname}:${port}/${Number(db)}?feed=${feed}`,
  };
}
