import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { Redis } from "ioredis";
import { dockerMissing } from "./docker.ts";
import { killed, own } from "./own-processes.ts";
import { until } from "./until.ts";

/** A Redis to test against, and what takes it away again. */
export interface TestRedis extends AsyncDisposable {
  readonly url: string;
}

const IMAGE = "redis:7.4-alpine";

/**
 * The Redis at TEST_REDIS_URL, or a server of TEST_REDIS_SERVER, or one in a container where Docker answers, or a
 * local redis-server. A text where there is none: the reason, with what to do.
 */
export async function findRedis(): Promise<TestRedis | string> {
  const url = process.env["TEST_REDIS_URL"];
  if (url !== undefined && url !== "") return { url, [Symbol.asyncDispose]: async () => undefined };
  if (chosenBinary() !== undefined) return RedisServer.start();
  const why = (await dockerMissing()) ?? (await startContainer());
  if (typeof why !== "string") return why;
  if (redisMissing() === undefined) return RedisServer.start();
  return `no Redis to test against: apt-get install redis-server, set TEST_REDIS_URL, or start Docker (${why})`;
}

async function startContainer(): Promise<TestRedis | string> {
  const { GenericContainer } = await import("testcontainers");
  try {
    const container = await new GenericContainer(IMAGE).withExposedPorts(6379).start();
    return {
      url: `redis://${container.getHost()}:${container.getMappedPort(6379)}`,
      [Symbol.asyncDispose]: async () => {
        await container.stop();
      },
    };
  } catch (error) {
    return error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
  }
}

/** Why no server of our own can be started here; undefined where it can. */
export function redisMissing(): string | undefined {
  return redisBinary() === undefined
    ? "no redis-server in the PATH (apt-get install redis-server)"
    : undefined;
}

/** Why redis-cli cannot be run here; undefined where it can. */
export function redisCliMissing(): string | undefined {
  return binaryOf("redis-cli") === undefined
    ? "no redis-cli in the PATH (apt-get install redis-tools)"
    : undefined;
}

interface ServerOptions {
  /** Another server than the one that is found: the path of its binary. */
  readonly binary?: string | undefined;
  readonly port?: number;
}

/** A real redis-server on a loopback port of its own, with its files in a directory of its own. */
export class RedisServer implements TestRedis {
  readonly port: number;
  readonly #binary: string;
  readonly #directory: string;
  readonly #settings: readonly string[];
  #process: ChildProcess | undefined;
  #isClosed = false;

  private constructor(binary: string, port: number, directory: string, settings: readonly string[]) {
    this.#binary = binary;
    this.port = port;
    this.#directory = directory;
    this.#settings = settings;
  }

  /** `settings` as on the command line of redis-server: `--appendonly yes`. */
  static async start(...settings: string[]): Promise<RedisServer> {
    return RedisServer.startWith({}, ...settings);
  }

  static async startWith({ binary, port }: ServerOptions, ...settings: string[]): Promise<RedisServer> {
    const directory = await mkdtemp(join(tmpdir(), "redis-"));
    const chosen = port ?? (await freePort());
    const place = ["--port", String(chosen), "--bind", "127.0.0.1", "--dir", directory];
    const all = [...place, "--save", "", "--loglevel", "warning", ...settings];
    return RedisServer.#started(binary, chosen, directory, all);
  }

  /** A Sentinel with these lines in its file. */
  static async startSentinel(...lines: string[]): Promise<RedisServer> {
    const directory = await mkdtemp(join(tmpdir(), "sentinel-"));
    const port = await freePort();
    const file = join(directory, "sentinel.conf");
    const place = [`port ${port}`, "bind 127.0.0.1", `dir ${directory}`, 'logfile ""'];
    await writeFile(file, [...place, ...lines, ""].join("\n"));
    return RedisServer.#started(undefined, port, directory, [file, "--sentinel"]);
  }

  static async #started(
    binary: string | undefined,
    port: number,
    directory: string,
    settings: string[],
  ): Promise<RedisServer> {
    const server = new RedisServer(binary ?? redisBinary() ?? "redis-server", port, directory, settings);
    try {
      await server.start();
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Starts it (again) on the same port and files; answers when it has loaded them. */
  async start(): Promise<void> {
    if (this.#isClosed) throw new Error(`the server at port ${this.port} was taken away`);
    const child = own(spawn(this.#binary, this.#settings, { stdio: "ignore" }), this.#binary);
    let ended: string | undefined;
    child.once("error", (error) => (ended = error.message));
    child.once("exit", (code) => (ended = `it ended with code ${code}`));
    this.#process = child;
    const client = this.client();
    try {
      await until(`${this.#binary} answers`, async () => {
        if (ended !== undefined) throw new Error(`${this.#binary} does not run: ${ended}`);
        return client.ping().then(
          () => true,
          (error: unknown) => String(error).includes("NOAUTH"),
        );
      });
    } finally {
      client.disconnect();
    }
  }

  /** A plain client, for looking behind the log's back. */
  client({ password }: { password?: string } = {}): Redis {
    const client = new Redis({
      port: this.port,
      host: "127.0.0.1",
      replyMapping: "legacy",
      maxRetriesPerRequest: 0,
      retryStrategy: () => 25,
      ...(password === undefined ? {} : { password }),
    });
    client.on("error", () => undefined);
    return client;
  }

  signal(name: "SIGSTOP" | "SIGCONT"): void {
    this.#process?.kill(name);
  }

  /** As a crash would: nothing is written any more. */
  async kill(): Promise<void> {
    const process = this.#process;
    this.#process = undefined;
    await killed(process);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await this.kill();
    await rm(this.#directory, { recursive: true, force: true });
  }
}

/** Where a server of this name is, in the PATH. */
export function binaryOf(...names: string[]): string | undefined {
  return (process.env["PATH"] ?? "")
    .split(delimiter)
    .flatMap((directory) => names.map((name) => join(directory, name)))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

function chosenBinary(): string | undefined {
  const path = process.env["TEST_REDIS_SERVER"];
  return path === "" ? undefined : path;
}

export function redisBinary(): string | undefined {
  return chosenBinary() ?? binaryOf("redis-server", "valkey-server");
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
