import { readFileSync } from "node:fs";
import { Redis, type RedisOptions } from "ioredis";
import type { Logger } from "../../telemetry/logger.ts";
import { LogUnavailable } from "../errors.ts";
import { BufferedCommand } from "./buffered-command.ts";
import { isReplyError, translate } from "./errors.ts";
import type { Location } from "./location.ts";
import type { Script } from "./scripts.ts";

/** A server that says nothing for so long, while we wait for it, is taken for dead. */
const SILENCE_MS = 10_000;
const RECONNECT_MAX_MS = 1000;

type Argument = string | number | Buffer;

/**
 * One connection to Redis. It comes back by itself; a command whose reply was lost is sent once more, which every
 * script bears, and then fails with LogUnavailable. The log hears of a loss, with its cause, once.
 */
export class Connection {
  /** Where Redis is, for people: no password. */
  readonly where: string;
  readonly #redis: Redis;
  readonly #metaKey: string;
  readonly #patienceMs: number;
  #lastError: Error | undefined;
  #closed = false;

  constructor(location: Location, logger: Logger, silenceMs = SILENCE_MS) {
    this.where = location.where;
    this.#patienceMs = 2 * silenceMs;
    this.#metaKey = `${location.prefix}meta`;
    this.#redis = new Redis(optionsOf(location, silenceMs));
    this.#sayOnceWhatIsWrong(logger);
  }

  /** @throws LogUnavailable, LogUnusable. */
  async open(): Promise<void> {
    try {
      await this.#withinPatience(this.#redis.connect());
    } catch (error) {
      const cause = this.#lastError ?? error;
      this.close();
      throw translate(cause, this.where);
    }
  }

  /** The reply, in which text is text. */
  async run(script: Script, args: readonly Argument[]): Promise<unknown> {
    return this.#evaluate("EVALSHA", "EVAL", script, args, (name, all) => this.#send(name, all, "utf8"));
  }

  /** The reply, in which text is bytes. */
  async runForBytes(script: Script, args: readonly Argument[]): Promise<unknown> {
    return this.#evaluate("EVALSHA", "EVAL", script, args, (name, all) => this.#send(name, all, null));
  }

  async call(name: string, ...args: Argument[]): Promise<unknown> {
    return this.#guarded(() => this.#redis.call(name, args));
  }

  /** Replies of commands that nothing comes between. */
  async together(commands: readonly (readonly [name: string, ...args: Argument[]])[]): Promise<unknown[]> {
    return this.#guarded(async () => {
      const multi = this.#redis.multi();
      for (const [name, ...args] of commands) multi.call(name, args);
      return repliesOf(await multi.exec());
    });
  }

  /** Replies of commands sent at once. */
  async each(commands: readonly (readonly [name: string, ...args: Argument[]])[]): Promise<unknown[]> {
    return this.#guarded(async () => {
      const pipeline = this.#redis.pipeline();
      for (const [name, ...args] of commands) pipeline.call(name, args);
      return repliesOf(await pipeline.exec());
    });
  }

  close(): void {
    this.#closed = true;
    this.#redis.disconnect();
  }

  async #send(name: string, args: Argument[], replyEncoding: "utf8" | null): Promise<unknown> {
    return this.#redis.sendCommand(new BufferedCommand(name, args, { replyEncoding }));
  }

  async #evaluate(
    bySha: string,
    byText: string,
    { sha, lua }: Script,
    args: readonly Argument[],
    send: (name: string, all: Argument[]) => Promise<unknown>,
  ): Promise<unknown> {
    return this.#guarded(async () => {
      try {
        return await send(bySha, [sha, 1, this.#metaKey, ...args]);
      } catch (error) {
        if (!isReplyError(error) || !error.message.startsWith("NOSCRIPT")) throw error;
        return send(byText, [lua, 1, this.#metaKey, ...args]);
      }
    });
  }

  async #guarded<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) throw new LogUnavailable(`The log at ${this.where} is closed`);
    try {
      return await this.#withinPatience(work());
    } catch (error) {
      if (this.#closed) throw new LogUnavailable(`The log at ${this.where} is closed`, { cause: error });
      throw translate(isReplyError(error) ? error : (this.#lastError ?? error), this.where);
    }
  }

  /** A server that accepts a connection and then says nothing is not noticed by the socket's own timeout. */
  async #withinPatience<T>(work: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const silence = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        this.#redis.disconnect(true);
        reject(new Error(`no answer within ${this.#patienceMs} ms`));
      }, this.#patienceMs);
    });
    try {
      return await Promise.race([work, silence]);
    } finally {
      clearTimeout(timer);
    }
  }

  #sayOnceWhatIsWrong(logger: Logger): void {
    const redis = this.#redis;
    let said = false;
    redis.on("error", (error: Error) => {
      this.#lastError = error;
      if (said || this.#closed) return;
      said = true;
      logger.warn(
        { redis: this.where, err: error },
        "the connection to Redis is lost; trying again until it is back",
      );
    });
    redis.on("ready", () => {
      if (said) logger.info({ redis: this.where }, "Redis is back");
      said = false;
      this.#lastError = undefined;
    });
  }
}

function repliesOf(results: [error: Error | null, result: unknown][] | null): unknown[] {
  if (results === null) throw new Error("the transaction was given up");
  return results.map(([error, result]) => {
    if (error !== null) throw error;
    return result;
  });
}

function optionsOf(location: Location, silenceMs: number): RedisOptions & { replyMapping: "legacy" } {
  const { host, port, tls, caFile, username, password, db } = location;
  return {
    host,
    port,
    db,
    ...(tls ? { tls: caFile === undefined ? {} : { ca: readFileSync(caFile) } } : {}),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    connectionName: "nomad-changefeed",
    replyMapping: "legacy",
    socketTimeout: silenceMs,
    lazyConnect: true,
    maxRetriesPerRequest: 1,
    retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 10), RECONNECT_MAX_MS),
    // After a failover the old master may still answer: look for the new one.
    reconnectOnError: (error) => error.message.startsWith("READONLY"),
  };
}
