import type { Redis } from "ioredis";
import type { Logger } from "../../telemetry/logger.ts";
import type { Metrics } from "../../telemetry/metrics.ts";
import { LogUnavailable } from "../errors.ts";
import { countReconnects, createRedis } from "./client.ts";
import { BufferedCommand } from "./buffered-command.ts";
import { isLockedOut, isReplyError, REFUSAL_HINT, translate } from "./errors.ts";
import type { Location } from "./location.ts";
import { Reply, type ReplySource } from "./reply.ts";
import type { Script } from "./scripts.ts";

/** A server that says nothing for so long, while we wait for it, is taken for dead. */
const SILENCE_MS = 10_000;

export interface ConnectionOptions {
  readonly logger: Logger;
  readonly metrics?: Pick<Metrics, "redisReconnects"> | undefined;
  /** How long a silent server is waited for. */
  readonly silenceMs?: number | undefined;
}

type Argument = string | number | Buffer;

/**
 * One connection to the master of the feed. It comes back by itself, to the new master after a failover; a command
 * whose reply was lost is sent once more, which every script bears, and then fails with LogUnavailable. The log hears
 * of a loss, with its cause, once.
 */
export class Connection {
  readonly #location: Location;
  readonly #redis: Redis;
  readonly #keys: readonly string[];
  readonly #patienceMs: number;
  readonly #pending = new Set<(reason: Error) => void>();
  #known = new Map<string, Promise<boolean>>();
  #session = 0;
  #lastError: Error | undefined;
  #closed = false;

  /** @throws LogUnusable: the file of authorities cannot be read. */
  constructor(location: Location, { logger, metrics, silenceMs = SILENCE_MS }: ConnectionOptions) {
    this.#location = location;
    this.#patienceMs = 2 * silenceMs;
    this.#keys = keysOf(location);
    this.#redis = createRedis(location, { socketTimeout: silenceMs });
    this.#sayOnceWhatIsWrong(logger);
    if (metrics !== undefined) countReconnects(this.#redis, metrics);
    this.#redis.on("ready", () => (this.#session += 1));
  }

  /** Where Redis is, for people: no password. */
  get where(): string {
    return this.#location.where;
  }

  get kind(): Location["kind"] {
    return this.#location.kind;
  }

  /** Names a key or a script's answer here to whom reads it. */
  source(what: string): ReplySource {
    return { where: this.where, what };
  }

  /** The same for what the server says of itself. */
  sourceOfServer(what: string): ReplySource {
    return { where: this.where, what, isOfServer: true };
  }

  /** Grows with every new connection, behind which may be another server. */
  get session(): number {
    return this.#session;
  }

  /** @throws LogUnavailable, LogUnusable. */
  async open(): Promise<void> {
    try {
      await this.#withinPatience(this.#redis.connect());
    } catch (error) {
      const cause = this.#lastError ?? error;
      this.close();
      throw translate(cause, this.#location);
    }
  }

  /** Whether the server has this command. */
  async knows(command: string): Promise<boolean> {
    const known = this.#known;
    const answer = known.get(command) ?? this.#asksFor(command);
    known.set(command, answer);
    answer.catch(() => known.delete(command));
    return answer;
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
      return repliesOf(await multi.exec().catch(throwFirstOf));
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
    for (const reject of this.#pending) reject(new Error("Connection is closed."));
  }

  async #asksFor(command: string): Promise<boolean> {
    const reply = await this.call("COMMAND", "INFO", command);
    const [facts] = new Reply(reply, this.sourceOfServer("the answer to COMMAND INFO")).parts;
    return Array.isArray(facts) && facts.length > 0;
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
        return await send(bySha, [sha, this.#keys.length, ...this.#keys, ...args]);
      } catch (error) {
        if (!isReplyError(error) || !error.message.startsWith("NOSCRIPT")) throw error;
        return send(byText, [lua, this.#keys.length, ...this.#keys, ...args]);
      }
    });
  }

  async #guarded<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) throw new LogUnavailable(`The log at ${this.where} is closed`);
    try {
      return await this.#withinPatience(work()).catch((error: unknown) => {
        if (this.#closed || this.kind !== "cluster" || !hasMoved(error)) throw error;
        return this.#withinPatience(work());
      });
    } catch (error) {
      if (this.#closed) throw new LogUnavailable(`The log at ${this.where} is closed`, { cause: error });
      throw translate(
        isReplyError(error) ? error : (this.#lastError ?? error),
        this.#location,
        this.#session > 0,
      );
    }
  }

  /** A server that accepts a connection and then says nothing is not noticed by the socket's own timeout. */
  async #withinPatience<T>(work: Promise<T>): Promise<T> {
    const { promise: silence, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      this.#redis.disconnect(true);
      reject(new Error(`no answer within ${this.#patienceMs} ms`));
    }, this.#patienceMs);
    this.#pending.add(reject);
    try {
      return await Promise.race([work, silence]);
    } finally {
      clearTimeout(timer);
      this.#pending.delete(reject);
    }
  }

  #sayOnceWhatIsWrong(logger: Logger): void {
    const redis = this.#redis;
    let said: "lost" | "locked out" | undefined;
    redis.on("error", (error: Error) => {
      this.#lastError = error;
      // Before the first connection, `open` tells it.
      if (this.#closed || this.#session === 0 || said === "locked out") return;
      const facts = { redis: this.where, err: error };
      if (isLockedOut(error)) {
        said = "locked out";
        logger.error({ ...facts, hint: REFUSAL_HINT }, "Redis refuses the credentials; retrying");
      } else if (said === undefined) {
        said = "lost";
        logger.warn(facts, "lost the connection to Redis; retrying");
      }
    });
    redis.on("ready", () => {
      if (said !== undefined) logger.info({ redis: this.where }, "reconnected to Redis");
      said = undefined;
      this.#lastError = undefined;
      this.#known = new Map();
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

/**
 * In a cluster, scripts name a second key, which never exists: while the slot moves from one node to another, a node
 * that has some of the keys of a script and not others refuses to run it. Else it would run and not find what has
 * moved already.
 */
function keysOf({ kind, prefix }: Location): readonly string[] {
  return kind === "cluster" ? [`${prefix}meta`, `${prefix}none`] : [`${prefix}meta`];
}

function hasMoved(error: unknown): boolean {
  return isReplyError(error) && error.message.startsWith("MOVED");
}

/** The error of the command for which Redis gave up the transaction. */
function throwFirstOf(error: unknown): never {
  const { previousErrors = [] } = error as { previousErrors?: readonly unknown[] };
  throw previousErrors[0] ?? error;
}
