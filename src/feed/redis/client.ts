import { readFileSync } from "node:fs";
import { connect as connectPlain, Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions } from "node:tls";
import { AbstractConnector, Redis, type RedisOptions } from "ioredis";
import type { Metrics } from "../../telemetry/metrics.ts";
import { LogUnusable } from "../errors.ts";
import { answerOf } from "./errors.ts";
import { addressText, type Location } from "./location.ts";
import { findMaster, type ClientOptions, type Guides } from "./master.ts";

const RECONNECT_MAX_MS = 1000;
const CONNECT_MS = 5000;
/** What a server answers that is not the master any more, or not for this feed: look for the one that is. */
const NOT_HERE = /^(READONLY|MOVED|CLUSTERDOWN)\b/;

/**
 * A client of the master at `location`, connected at its first command or by `connect()`. When the connection is
 * lost, or the server says that it is not the master, the client looks for the master again. In a cluster it is the
 * master of the feed's slot, and other slots are out of its reach: begin all keys with the feed's prefix.
 * @throws LogUnusable: the file of authorities cannot be read.
 */
export function createRedis(location: Location, options: ClientOptions = {}): Redis {
  const { addresses, username, password, db } = location;
  const tls = location.tls ? tlsOptions(location) : undefined;
  const all: RedisOptions & { replyMapping: "legacy" } = {
    ...addresses[0],
    db,
    ...(tls === undefined ? {} : { tls }),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    Connector: connectorOf(location, tls),
    connectionName: "nomad-changefeed",
    replyMapping: "legacy",
    connectTimeout: CONNECT_MS,
    lazyConnect: true,
    maxRetriesPerRequest: 1,
    retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 10), RECONNECT_MAX_MS),
    reconnectOnError: (error) => NOT_HERE.test(answerOf(error)),
    ...options,
  };
  return new Redis(all);
}

/** Counts each time that the connection is back after a loss. */
export function countReconnects(redis: Redis, { redisReconnects }: Pick<Metrics, "redisReconnects">): void {
  redis.once("ready", () => redis.on("ready", () => redisReconnects.inc()));
}

function tlsOptions({ caFile }: Location): ConnectionOptions {
  if (caFile === undefined) return {};
  try {
    return { ca: readFileSync(caFile) };
  } catch (error) {
    throw new LogUnusable(
      `The file of authorities ${caFile}, named in the address of Redis, cannot be read`,
      {
        hint: "ca= names a PEM file that this process may read",
        cause: error,
      },
    );
  }
}

function connectorOf(
  location: Location,
  tls: ConnectionOptions | undefined,
): NonNullable<RedisOptions["Connector"]> {
  return class extends MasterConnector {
    constructor() {
      super(location, tls);
    }
  };
}

/** Opens sockets to the master, wherever it is now. A master that is not found is a connection that failed. */
class MasterConnector extends AbstractConnector {
  readonly #location: Location;
  readonly #tls: ConnectionOptions | undefined;
  readonly #guides: Guides;
  #search: AbortController | undefined;
  #found = "";
  #report: (type: string, error: Error) => void = () => undefined;

  constructor(location: Location, tls: ConnectionOptions | undefined) {
    super(0);
    this.#location = location;
    this.#tls = tls;
    this.#guides = { first: 0, learned: [] };
  }

  override async connect(report: (type: string, error: Error) => void): Promise<Socket> {
    this.connecting = true;
    this.#report = report;
    this.#search = new AbortController();
    try {
      const { host, port } = await findMaster(this.#location, this.#guides, this.#search.signal, createRedis);
      this.#search.signal.throwIfAborted();
      this.#found = addressText({ host, port });
      const socket =
        this.#tls === undefined ? connectPlain({ host, port }) : connectTls({ host, port, ...this.#tls });
      socket.once("error", (error) => (this.firstError = error));
      this.stream = socket;
      return socket;
    } catch (error) {
      this.firstError = error instanceof Error ? error : new Error(String(error));
      const failed = new Socket();
      failed.destroy();
      this.stream = failed;
      return failed;
    }
  }

  /** Whom we asked may not know yet of a failover. */
  override check({ role }: { role?: string }): boolean {
    if (this.#location.kind === "server" || role === undefined || role === "master") return true;
    this.#report("error", new Error(`${this.#found}, which should be the master, is a replica`));
    return false;
  }

  /** At once: a server that does not answer does not say goodbye either. The next time somebody else is asked. */
  override disconnect(): void {
    this.connecting = false;
    this.#search?.abort(new Error("the connection was given up"));
    this.#guides.first += 1;
    this.stream?.destroy();
  }
}
