import { isIPv6 } from "node:net";
import { LogUnusable } from "../errors.ts";

export interface Address {
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
}

interface Place {
  readonly addresses: readonly Address[];
  readonly tls: boolean;
  /** PEM file of the authorities to trust, where it is not the system's. */
  readonly caFile: string | undefined;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly db: number;
  /** Begins every key of the feed; the braces keep them in one slot. */
  readonly prefix: string;
  /** The address without user and passwords. */
  readonly where: string;
}

/** Where a feed lives in Redis: at the one address, or at the master that the Sentinels or the nodes there name. */
export type Location = Place &
  (
    | { readonly kind: "server" | "cluster" }
    | {
        readonly kind: "sentinel";
        readonly masterName: string;
        readonly sentinelUser: string | undefined;
        readonly sentinelPassword: string | undefined;
      }
  );

type Kind = Location["kind"];

const FORMS: Readonly<Record<Kind, string>> = {
  server: "redis://[user:password@]host[:6379][/db][?feed=name]",
  sentinel: "redis+sentinel://[user:password@]host[:26379],host…/master-name[/db][?feed=name]",
  cluster: "redis+cluster://[user:password@]host[:6379],host…[?feed=name]",
};
const PORTS: Readonly<Record<Kind, number>> = { server: 6379, sentinel: 26_379, cluster: 6379 };
const SETTINGS: Readonly<Record<Kind, readonly string[]>> = {
  server: ["feed", "ca"],
  sentinel: ["feed", "ca", "sentinelUser", "sentinelPassword"],
  cluster: ["feed", "ca"],
};
const ALL_SETTINGS = Object.values(SETTINGS).flat();
const ADDRESS = /^redis(s?)(?:\+(sentinel|cluster))?:\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?(#.*)?$/s;
const DEFAULT_FEED = "default";

/** Says what is wrong with the address; never a part that may hold a password. */
class Wrong extends Error {}

/**
 * Reads an address of one of the forms above; `rediss` in its place means TLS, then also with `ca=<PEM file>`.
 * Several feeds may share a Redis, each under its name.
 * @throws LogUnusable: what is wrong, and what is allowed.
 */
export function locationOf(text: string): Location {
  const [, tls, kindText, authority = "", path = "", query, fragment] = ADDRESS.exec(text) ?? [];
  const kind = (kindText ?? "server") as Kind;
  try {
    if (tls === undefined) throw new Wrong("it begins with none of the schemes");
    const rest = `${path}${query ?? ""}${fragment ?? ""}`;
    if (fragment !== undefined || rest.includes("@")) {
      throw new Wrong("a /, ?, # or @ in a user, password or name is written as %2F, %3F, %23 or %40");
    }
    return read(kind, { tls: tls === "s", authority, path, query });
  } catch (error) {
    if (!(error instanceof Wrong)) throw error;
    const forms = tls === undefined ? Object.values(FORMS) : [FORMS[kind]];
    throw new LogUnusable(`The address of the log in Redis is not understood: ${error.message}`, {
      hint: `Write it as ${forms.join(", or ")}; rediss in the place of redis for TLS, then also with ca=<PEM file>`,
    });
  }
}

interface Parts {
  readonly tls: boolean;
  readonly authority: string;
  readonly path: string;
  readonly query: string | undefined;
}

function read(kind: Kind, { tls, authority, path, query }: Parts): Location {
  const at = authority.lastIndexOf("@");
  const addresses = readAddresses(kind, authority.slice(at + 1));
  const settings = readSettings(kind, query ?? "");
  const feed = settings.get("feed") ?? DEFAULT_FEED;
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(feed)) {
    throw new Wrong("feed= takes 1 to 64 letters, digits, dots, dashes and underscores");
  }
  const caFile = settings.get("ca");
  if (caFile !== undefined && !tls) throw new Wrong("ca= is for rediss only");
  const { masterName, db } = readPath(kind, path);
  const scheme = `redis${tls ? "s" : ""}${kind === "server" ? "" : `+${kind}`}`;
  const master = masterName === undefined ? "" : `/${encodeURIComponent(masterName)}`;
  const place: Place = {
    addresses,
    tls,
    caFile,
    ...readUser(at < 0 ? "" : authority.slice(0, at)),
    db,
    prefix: `ncf:{${feed}}:`,
    where: `${scheme}://${addresses.map(addressText).join(",")}${master}/${db}?feed=${feed}`,
  };
  if (kind !== "sentinel" || masterName === undefined)
    return { ...place, kind: kind as "server" | "cluster" };
  const sentinelUser = settings.get("sentinelUser");
  const sentinelPassword = settings.get("sentinelPassword");
  if (sentinelUser !== undefined && sentinelPassword === undefined) {
    throw new Wrong("sentinelUser= needs sentinelPassword= beside it");
  }
  return { ...place, kind, masterName, sentinelUser, sentinelPassword };
}

export function addressText({ host, port }: Address): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function readAddresses(kind: Kind, text: string): readonly Address[] {
  const hosts = text.split(",");
  if (kind === "server" && hosts.length > 1) {
    throw new Wrong("several hosts are named by redis+sentinel:// and redis+cluster:// only");
  }
  return hosts.map((host) => readAddress(host, PORTS[kind]));
}

/** What stands behind a colon is not repeated: where the host was forgotten, it is the password. */
function readAddress(text: string, defaultPort: number): Address {
  const [, inBrackets, name, portText] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::([^:]*))?$/.exec(text) ?? [];
  const host = inBrackets ?? name;
  if (host === "") throw new Wrong("a host is missing");
  if (host === undefined || (inBrackets === undefined ? !/^[\w.-]+$/.test(host) : !isIPv6(host))) {
    const shown = JSON.stringify(inBrackets === undefined ? text.split(":")[0] : text);
    throw new Wrong(`at ${shown} is no host, such as redis.example, 10.0.0.5 or [fd00::5]`);
  }
  const port = portText === undefined ? defaultPort : Number(/^\d{1,5}$/.exec(portText)?.[0]);
  if (port >= 1 && port <= 65_535) return { host, port };
  throw new Wrong(`the port of ${host} is no number from 1 to 65535`);
}

function readUser(text: string): Pick<Place, "username" | "password"> {
  if (text === "") return { username: undefined, password: undefined };
  const colon = text.indexOf(":");
  const username = decoded(colon < 0 ? text : text.slice(0, colon), "the user");
  const password = colon < 0 ? "" : decoded(text.slice(colon + 1), "the password");
  if (username !== "" && password === "") {
    throw new Wrong("a user stands without a password; a password alone is written as :password@");
  }
  return {
    username: username === "" ? undefined : username,
    password: password === "" ? undefined : password,
  };
}

function readPath(kind: Kind, path: string): { masterName: string | undefined; db: number } {
  const [first, second, ...more] = path.split("/").slice(1);
  const [masterText, dbText] = kind === "sentinel" ? [first, second] : [undefined, first];
  const beyond = kind === "sentinel" ? more : [second, ...more].filter((part) => part !== undefined);
  if (beyond.some((part) => part !== "")) throw new Wrong("something follows the database");
  if (kind === "sentinel" && (masterText === undefined || masterText === "")) {
    throw new Wrong("the name by which the Sentinels know the master is missing");
  }
  const db = dbText === undefined ? "" : dbText;
  if (!/^\d{0,4}$/.test(db)) throw new Wrong(`the database ${JSON.stringify(db)} is no number`);
  if (kind === "cluster" && Number(db) !== 0) {
    throw new Wrong(`a cluster has database 0 only, not ${Number(db)}`);
  }
  return {
    masterName: masterText === undefined ? undefined : decoded(masterText, "the name of the master"),
    db: Number(db),
  };
}

function readSettings(kind: Kind, query: string): ReadonlyMap<string, string> {
  const settings = new Map<string, string>();
  for (const part of query.split("&").filter((text) => text !== "")) {
    const equals = part.indexOf("=");
    const name = equals < 0 ? part : part.slice(0, equals);
    if (!SETTINGS[kind].includes(name)) {
      // Behind a & that should have been escaped, a password goes on.
      const isHarmless = ALL_SETTINGS.includes(name) || !/password=/i.test(query);
      const shown = isHarmless ? JSON.stringify(name) : "a setting";
      throw new Wrong(`${shown} after the ? is not known; allowed: ${SETTINGS[kind].join(", ")}`);
    }
    if (settings.has(name)) throw new Wrong(`${name}= stands there twice`);
    const value = equals < 0 ? "" : decoded(part.slice(equals + 1), `${name}=`);
    if (value === "") throw new Wrong(`${name}= is empty`);
    settings.set(name, value);
  }
  return settings;
}

function decoded(text: string, what: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Wrong(`${what} holds a % that two hexadecimal digits do not follow; write it as %25`);
  }
}
