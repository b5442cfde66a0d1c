import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type ConnectionOptions, type NatsConnection } from "@nats-io/transport-node";
import { killed, own } from "./own-processes.ts";
import { binaryOf, freePort } from "./redis-server.ts";
import { until } from "./until.ts";

/** Why no nats-server can be started here; undefined where it can. */
export function natsMissing(): string | undefined {
  return binaryOf("nats-server") === undefined
    ? "no nats-server in the PATH (apt-get install nats-server)"
    : undefined;
}

/** A real nats-server with JetStream on a loopback port of its own, with its files in a directory of its own. */
export class NatsServer implements AsyncDisposable {
  readonly port: number;
  readonly #monitorPort: number;
  readonly #directory: string;
  #process: ChildProcess | undefined;

  private constructor(port: number, monitorPort: number, directory: string) {
    this.port = port;
    this.#monitorPort = monitorPort;
    this.#directory = directory;
  }

  /** `settings` as in its configuration file: `authorization { token: … }`. */
  static async start(settings = ""): Promise<NatsServer> {
    const server = new NatsServer(await freePort(), await freePort(), await mkdtemp(join(tmpdir(), "nats-")));
    await server.#configure(settings);
    await server.start();
    return server;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  async #configure(settings: string): Promise<void> {
    const place = [
      `listen: "127.0.0.1:${this.port}"`,
      `http: "127.0.0.1:${this.#monitorPort}"`,
      `jetstream { store_dir: "${this.#directory}" }`,
    ];
    await writeFile(this.#file, [...place, settings, ""].join("\n"));
  }

  get #file(): string {
    return join(this.#directory, "server.conf");
  }

  /** Starts it (again) on the same port and files; answers when it takes connections. */
  async start(): Promise<void> {
    const child = own(
      spawn("nats-server", ["-c", this.#file], { stdio: ["ignore", "ignore", "pipe"] }),
      "nats-server",
    );
    this.#process = child;
    let said = "";
    child.stderr?.on("data", (chunk: Buffer) => (said += chunk.toString()));
    await until("nats-server is ready", () => {
      if (child.exitCode !== null) throw new Error(`nats-server does not run: ${said}`);
      return said.includes("Server is ready");
    });
  }

  async restartWith(settings: string): Promise<void> {
    await this.kill();
    await this.#configure(settings);
    await this.start();
  }

  connect(options: ConnectionOptions = {}): Promise<NatsConnection> {
    return connect({ servers: this.url, ...options });
  }

  /** How many clients are connected. */
  async connections(): Promise<number> {
    const answer = await fetch(`http://127.0.0.1:${this.#monitorPort}/connz`);
    return ((await answer.json()) as { num_connections: number }).num_connections;
  }

  signal(name: "SIGSTOP" | "SIGCONT"): void {
    this.#process?.kill(name);
  }

  async kill(): Promise<void> {
    const process = this.#process;
    this.#process = undefined;
    await killed(process);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await rm(this.#directory, { recursive: true, force: true });
  }
}
