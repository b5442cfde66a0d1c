import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { Redis } from "ioredis";
import { GenericContainer } from "testcontainers";
import { until } from "./until.ts";

/** A Redis to test against, and what takes it away again. */
export interface TestRedis extends AsyncDisposable {
  readonly url: string;
}

const IMAGE = "redis:7.4-alpine";

/**
 * The Redis at TEST_REDIS_URL, or a local redis-server, or one in a container where Docker answers. A text where
 * there is none: the reason, with what to do.
 */
export async function findRedis(): Promise<TestRedis | string> {
  const url = process.env["TEST_REDIS_URL"];
  if (url !== undefined && url !== "") return { url, [Symbol.asyncDispose]: async () => undefined };
  if (redisMissing() === undefined) return RedisServer.start();
  try {
    const container = await new GenericContainer(IMAGE).withExposedPorts(6379).start();
    return {
      url: `redis://${container.getHost()}:${container.getMappedPort(6379)}`,
      [Symbol.asyncDispose]: async () => {
        await container.stop();
      },
    };
  } catch (error) {
    const why = error instanceof Error ? error.message.split("\n")[0] : String(error);
    return `no Redis to test against: install redis-server, set TEST_REDIS_URL, or start Docker (${why})`;
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
  return inPath(["redis-cli"]) === undefined
    ? "no redis-cli in the PATH (apt-get install redis-tools)"
    : undefined;
}

/** A real redis-server on a loopback port of its own, with its files in a directory of its own. */
export class RedisServer implements TestRedis {
  readonly port: number;
  readonly #directory: string;
  readonly #settings: readonly string[];
  #process: ChildProcess | undefined;

  private constructor(port: number, directory: string, settings: readonly string[]) {
    this.port = port;
    this.#directory = directory;
    this.#settings = settings;
  }

  /** `settings` as on the command line of redis-server: `--appendonly yes`. */
  static async start(...settings: string[]): Promise<RedisServer> {
    const directory = await mkdtemp(join(tmpdir(), "redis-"));
    const server = new RedisServer(await freePort(), directory, settings);
    await server.start();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Starts it (again) on the same port and files; answers when it has loaded them. */
  async start(): Promise<void> {
    const place = ["--port", String(this.port), "--bind", "127.0.0.1", "--dir", this.#directory];
    const quiet = ["--save", "", "--loglevel", "warning", "--enable-debug-command", "local"];
    this.#process = spawn(redisBinary() ?? "redis-server", [...place, ...quiet, ...this.#settings], {
      stdio: "ignore",
    });
    const client = this.client();
    await until("redis-server answers", () =>
      client.ping().then(
        () => true,
        (error: unknown) => String(error).includes("NOAUTH"),
      ),
    );
    client.disconnect();
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
    if (process === undefined || process.exitCode !== null) return;
    const exited = once(process, "exit");
    process.kill("SIGKILL");
    await exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await rm(this.#directory, { recursive: true });
  }
}

function redisBinary(): string | undefined {
  return inPath(["redis-server", "valkey-server"]);
}

function inPath(names: readonly string[]): string | undefined {
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

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
